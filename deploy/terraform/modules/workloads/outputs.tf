output "manifest" {
  description = "Kubernetes objects that hold what only this account knows, as YAML."
  value       = join("---\n", [for object in local.objects : yamlencode(object)])
}

output "settings" {
  description = "Settings of Trendlark that point at what was made."
  value       = local.settings
}

output "secret_arns" {
  description = "The secrets by name."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}

output "addons" {
  description = "EKS add-ons by name."
  value       = { for name, addon in aws_eks_addon.this : name => addon.addon_name }
}

output "budget" {
  description = "The budget; null for none."
  value       = one(aws_budgets_budget.this[*])
}

output "cloud9" {
  description = "Number of Cloud9 environments."
  value       = length(aws_cloud9_environment_ec2.this)
}
