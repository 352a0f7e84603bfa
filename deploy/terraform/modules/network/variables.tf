variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "cidr" {
  description = "Address range of the network, a /16."
  type        = string
}

variable "zone_count" {
  description = "Availability zones to spread over."
  type        = number
}

variable "nat_per_zone" {
  description = "One NAT gateway in each zone instead of one for all."
  type        = bool
}
