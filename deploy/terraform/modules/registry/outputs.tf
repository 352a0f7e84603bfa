output "host" {
  description = "Address of the registry, for docker login."
  value       = local.host
}

output "repositories" {
  description = "Address of each repository by its name."
  value       = { for name in var.repositories : name => "${local.host}/${name}" }
}
