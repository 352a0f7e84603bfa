locals {
  autoscaler_tags = {
    "k8s.io/cluster-autoscaler/enabled"     = "true"
    "k8s.io/cluster-autoscaler/${var.name}" = "owned"
  }
  training_label = "trendlark.io/training"

  # The autoscaler cannot look at a node of an empty group, so the group's tags say what one would be like.
  training_tags = var.training == null ? {} : merge(local.autoscaler_tags, {
    "k8s.io/cluster-autoscaler/node-template/label/${local.training_label}" = "true"
    "k8s.io/cluster-autoscaler/node-template/taint/${local.training_label}" = "true:NoSchedule"
  })
}

resource "aws_iam_role" "node" {
  name = "${var.name}-node"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = ["sts:AssumeRole"]
    }]
  })
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = toset([
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonEC2ContainerRegistryReadOnly",
  ])
  role       = aws_iam_role.node.name
  policy_arn = "${local.managed}/${each.key}"
}

resource "aws_launch_template" "node" {
  for_each = merge(
    { services = var.nodes.disk_gib },
    var.training == null ? {} : { training = var.training.disk_gib },
  )
  name                   = "${var.name}-${each.key}"
  update_default_version = true

  # One hop: a pod cannot ask for the node's credentials and has to use its own role.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_type           = "gp3"
      volume_size           = each.value
      encrypted             = true
      delete_on_termination = true
    }
  }

  tag_specifications {
    resource_type = "instance"
    tags          = { Name = "${var.name}-${each.key}" }
  }
}

# Another type or spot makes another group. It comes before the old one goes, so that the pods have somewhere to go.
resource "aws_eks_node_group" "services" {
  cluster_name           = aws_eks_cluster.this.name
  node_group_name_prefix = "services-"
  node_role_arn          = aws_iam_role.node.arn
  subnet_ids             = var.subnet_ids
  version                = aws_eks_cluster.this.version
  ami_type               = "AL2023_x86_64_STANDARD"
  capacity_type          = var.nodes.spot ? "SPOT" : "ON_DEMAND"
  instance_types         = var.nodes.instance_types
  tags                   = local.autoscaler_tags

  scaling_config {
    min_size     = var.nodes.minimum
    desired_size = var.nodes.desired
    max_size     = var.nodes.maximum
  }

  launch_template {
    id      = aws_launch_template.node["services"].id
    version = aws_launch_template.node["services"].latest_version
  }

  update_config {
    max_unavailable = 1
  }

  depends_on = [aws_iam_role_policy_attachment.node]

  # From the first hour on the autoscaler says how many.
  lifecycle {
    create_before_destroy = true
    ignore_changes        = [scaling_config[0].desired_size]
  }
}

resource "aws_eks_node_group" "training" {
  count           = var.training == null ? 0 : 1
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "training"
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = var.subnet_ids
  version         = aws_eks_cluster.this.version
  ami_type        = var.training.gpu ? "AL2023_x86_64_NVIDIA" : "AL2023_x86_64_STANDARD"
  capacity_type   = var.training.spot ? "SPOT" : "ON_DEMAND"
  instance_types  = var.training.instance_types
  labels          = { (local.training_label) = "true" }
  tags            = local.autoscaler_tags

  scaling_config {
    min_size     = 0
    desired_size = 0
    max_size     = var.training.maximum
  }

  launch_template {
    id      = aws_launch_template.node["training"].id
    version = aws_launch_template.node["training"].latest_version
  }

  taint {
    key    = local.training_label
    value  = "true"
    effect = "NO_SCHEDULE"
  }

  depends_on = [aws_iam_role_policy_attachment.node]

  lifecycle {
    ignore_changes = [scaling_config[0].desired_size]
  }
}

# A node group's own tags do not reach its Auto Scaling group.
resource "aws_autoscaling_group_tag" "services" {
  for_each               = var.tag_groups ? local.autoscaler_tags : {}
  autoscaling_group_name = aws_eks_node_group.services.resources[0].autoscaling_groups[0].name

  tag {
    key                 = each.key
    value               = each.value
    propagate_at_launch = false
  }
}

resource "aws_autoscaling_group_tag" "training" {
  for_each               = var.tag_groups ? local.training_tags : {}
  autoscaling_group_name = aws_eks_node_group.training[0].resources[0].autoscaling_groups[0].name

  tag {
    key                 = each.key
    value               = each.value
    propagate_at_launch = false
  }
}
