output "name" {
  description = "Name of the cluster, once it has nodes: add-ons come to rest only on one."
  value       = aws_eks_cluster.this.name
  depends_on  = [aws_eks_node_group.services]
}

output "oidc_provider_arn" {
  description = "The identity provider that IRSA roles trust."
  value       = aws_iam_openid_connect_provider.this.arn
}

output "oidc_issuer" {
  description = "The issuer without its scheme, as trust policies name it."
  value       = trimprefix(aws_eks_cluster.this.identity[0].oidc[0].issuer, "https://")
}

output "training_label" {
  description = "Label and taint of the nodes that train."
  value       = local.training_label
}

output "autoscaler_tags" {
  description = "Tags of the Auto Scaling groups, by group."
  value = {
    services = { for key, tag in aws_autoscaling_group_tag.services : key => tag.tag[0].value }
    training = { for key, tag in aws_autoscaling_group_tag.training : key => tag.tag[0].value }
  }
}
