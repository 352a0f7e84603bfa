variable "name" {
  description = "Name of the cluster and prefix of its parts."
  type        = string
}

variable "kubernetes_version" {
  description = "Version of Kubernetes, as 1.35."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets for nodes and the control plane's interfaces."
  type        = list(string)
}

variable "api_allowed_cidrs" {
  description = "Who may reach the public endpoint; empty makes it private."
  type        = list(string)
}

variable "admin_role_arns" {
  description = "Roles that administer the cluster besides who made it."
  type        = list(string)
}

variable "tag_groups" {
  description = "Whether to tag the Auto Scaling groups for the Cluster Autoscaler."
  type        = bool
}

variable "log_days" {
  description = "Days that control plane logs are kept."
  type        = number
}

variable "nodes" {
  description = "The group that runs the services."
  type = object({
    instance_types = list(string)
    minimum        = number
    desired        = number
    maximum        = number
    spot           = bool
    disk_gib       = number
  })
}

variable "training" {
  description = "The group that trains, from zero nodes; null for none."
  type = object({
    instance_types = list(string)
    maximum        = number
    spot           = bool
    gpu            = bool
    disk_gib       = number
  })
  default = null
}
