output "role_arns" {
  description = "The roles by what takes them."
  value       = { for role in keys(local.accounts) : role => aws_iam_role.this[role].arn }
}

output "accounts" {
  description = "Namespace and name of the ServiceAccounts that take each role."
  value       = local.accounts
}

output "trust" {
  description = "Trust policies by what takes the role."
  value       = local.trust
}

output "associations" {
  description = "Pod Identity associations, as role:namespace:account."
  value       = keys(aws_eks_pod_identity_association.this)
}
