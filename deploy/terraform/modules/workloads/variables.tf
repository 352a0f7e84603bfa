variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "cluster_name" {
  description = "Name of the cluster."
  type        = string
}

variable "namespace" {
  description = "Kubernetes namespace of the services."
  type        = string
}

variable "enable_addons" {
  description = "Whether to install the EKS add-ons."
  type        = bool
}

variable "pod_identity" {
  description = "Whether ServiceAccounts get their roles by EKS Pod Identity."
  type        = bool
}

variable "accounts" {
  description = "Namespace and name of the ServiceAccount that takes each role."
  type        = map(object({ namespace = string, name = string }))
}

variable "role_arns" {
  description = "The roles by what takes them."
  type        = map(string)
}

variable "bucket" {
  description = "Bucket of lake, models and pipeline artefacts."
  type        = string
}

variable "file_system_id" {
  description = "EFS file system."
  type        = string
}

variable "data_key_arn" {
  description = "Key that encrypts the secrets."
  type        = string
}

variable "allow_destroy" {
  description = "Whether destroyed secrets are gone at once instead of after a week."
  type        = bool
}

variable "budget_usd_per_month" {
  description = "Monthly cost that sounds the alarm; 0 for none."
  type        = number
}

variable "alarm_emails" {
  description = "Who is told."
  type        = list(string)
}

variable "enable_cloud9" {
  description = "Whether to make a Cloud9 environment."
  type        = bool
}

variable "cloud9_subnet_id" {
  description = "Public subnet of the Cloud9 environment."
  type        = string
}
