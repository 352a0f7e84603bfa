variable "name" {
  description = "Prefix of every role."
  type        = string
}

variable "cluster_name" {
  description = "Name of the cluster."
  type        = string
}

variable "pipeline_accounts" {
  description = "ServiceAccounts that pipelines run as."
  type        = list(object({ namespace = string, name = string }))
}

variable "ebs" {
  description = "Whether the cluster has the EBS driver, which needs a role."
  type        = bool
}

variable "pod_identity" {
  description = "EKS Pod Identity instead of IRSA."
  type        = bool
}

variable "oidc_provider_arn" {
  description = "Identity provider of the cluster."
  type        = string
}

variable "oidc_issuer" {
  description = "Its issuer, without scheme."
  type        = string
}

variable "bucket_arn" {
  description = "Bucket of lake, models and pipeline artefacts."
  type        = string
}

variable "data_key_arn" {
  description = "Key that encrypts it."
  type        = string
}

variable "secret_arns" {
  description = "Secrets that the secrets operator may read."
  type        = list(string)
}
