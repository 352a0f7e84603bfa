variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "vpc_id" {
  description = "Network of the file system."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets by zone; each gets a mount target."
  type        = map(string)
}

variable "client_cidrs" {
  description = "Address ranges of the nodes that mount, by zone."
  type        = map(string)
}

variable "lake_noncurrent_days" {
  description = "Days that overwritten and deleted objects of the lake can be brought back."
  type        = number
}

variable "model_noncurrent_days" {
  description = "Days that overwritten and deleted models and pipeline artefacts can be brought back."
  type        = number
}

variable "log_days" {
  description = "Days that access logs are kept."
  type        = number
}

variable "efs_backup" {
  description = "Daily backups of the file system."
  type        = bool
}

variable "allow_destroy" {
  description = "Whether destroy may take buckets that hold objects."
  type        = bool
}
