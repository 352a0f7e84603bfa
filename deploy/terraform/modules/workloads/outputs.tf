output "manifests" {
  description = "Kubernetes objects that hold what only this account knows, as YAML."
  value = {
    account   = join("---\n", [for object in local.objects : yamlencode(object)])
    secrets   = join("---\n", [for object in local.secret_objects : yamlencode(object)])
    pipelines = join("---\n", [for object in local.pipeline_objects : yamlencode(object)])
  }
}

output "kustomizations" {
  description = "Kustomizations on top of the overlays of the repository, by overlay."
  value       = local.kustomizations
}

output "helm_values" {
  description = "Values of Helm charts, by chart."
  value       = local.helm_values
}

output "settings" {
  description = "Settings of Trendlark that point at what was made."
  value       = local.settings
}

output "tokens_arn" {
  description = "The secret that holds the tokens."
  value       = aws_secretsmanager_secret.tokens.arn
}

output "tokens_name" {
  description = "Its name."
  value       = aws_secretsmanager_secret.tokens.name
}

output "addons" {
  description = "EKS add-ons: name to its version, how it is configured and which role it has."
  value = { for name, addon in aws_eks_addon.this : name => {
    version = addon.addon_version
    values  = addon.configuration_values
    role    = addon.service_account_role_arn
  } }
}

output "budget" {
  description = "The budget; null for none."
  value       = one(aws_budgets_budget.this[*])
}

output "cloud9" {
  description = "Number of Cloud9 environments."
  value       = length(aws_cloud9_environment_ec2.this)
}
