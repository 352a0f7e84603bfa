output "name" {
  description = "Prefix of every name."
  value       = local.name
}

output "region" {
  description = "AWS region."
  value       = var.region
}

output "cluster_name" {
  description = "Name of the cluster, for `aws eks update-kubeconfig`."
  value       = module.cluster.name
}

output "bucket" {
  description = "Bucket of lake, models and pipeline artefacts."
  value       = module.storage.bucket
}

output "lake" {
  description = "Address of the lake, for TRENDLARK_LAKE."
  value       = module.workloads.settings.TRENDLARK_LAKE
}

output "models" {
  description = "Where models are published."
  value       = "s3://${module.storage.bucket}/models"
}

output "pipelines" {
  description = "Where pipelines keep their artefacts."
  value       = "s3://${module.storage.bucket}/pipelines"
}

output "file_system_id" {
  description = "Id of the EFS file system."
  value       = module.storage.file_system_id
}

output "access_point_id" {
  description = "Id of the access point for a volume made by hand."
  value       = module.storage.access_point_id
}

output "role_arns" {
  description = "IAM roles by what takes them."
  value       = module.identity.role_arns
}

output "registry" {
  description = "Address of the image registry, for `docker login`."
  value       = module.registry.host
}

output "repositories" {
  description = "Addresses of the image repositories."
  value       = module.registry.repositories
}

output "tokens" {
  description = "Name of the secret to fill."
  value       = module.workloads.tokens_name
}

output "manifests" {
  description = "Kubernetes objects that hold what only this account knows, for `kubectl apply --server-side -f -`."
  value       = module.workloads.manifests
}

output "kustomizations" {
  description = "Kustomizations on top of deploy/kubernetes/overlays, for `kubectl apply -k`."
  value       = module.workloads.kustomizations
}

output "helm_values" {
  description = "Values of Helm charts, for `helm upgrade --install --values -`."
  value       = module.workloads.helm_values
}
