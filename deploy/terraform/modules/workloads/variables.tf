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

variable "kubernetes_version" {
  description = "Version of Kubernetes, which add-ons go with."
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

variable "ebs" {
  description = "Whether to install the EBS driver and its StorageClass."
  type        = bool
}

variable "training_label" {
  description = "Label and taint of the nodes that train."
  type        = string
}

variable "accounts" {
  description = "Namespace and name of the ServiceAccounts that take each role."
  type        = map(list(object({ namespace = string, name = string })))
}

variable "role_arns" {
  description = "The roles by what takes them."
  type        = map(string)
}

variable "bucket" {
  description = "Bucket of lake, models and pipeline artefacts."
  type        = string
}

variable "registry" {
  description = "Address of the image registry."
  type        = string
}

variable "image_tag" {
  description = "Tag of the images that the manifests name."
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
  description = "Private subnet of the Cloud9 environment, which is reached through Systems Manager."
  type        = string
}
