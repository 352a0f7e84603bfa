# What moto cannot stand in for, and what only prod has, planned with a mocked provider:
#   terraform test -var-file=environments/prod.tfvars

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }
  mock_data "aws_availability_zones" {
    defaults = { names = ["us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"] }
  }
  mock_data "aws_eks_addon_version" {
    defaults = { version = "v9.9.9-eksbuild.9" }
  }
}

run "three_zones_with_a_gateway_each" {
  command = plan
  module {
    source = "./modules/network"
  }
  variables {
    name         = "trendlark-prod"
    cidr         = "10.40.0.0/16"
    zone_count   = 3
    nat_per_zone = true
  }
  assert {
    condition     = length(aws_subnet.private) == 3 && length(aws_nat_gateway.this) == 3
    error_message = "prod has to survive the loss of a zone"
  }
  assert {
    condition     = contains(data.aws_availability_zones.open.exclude_zone_ids, "use1-az3")
    error_message = "EKS takes no subnet in some zones, whatever letter an account knows them by"
  }
  assert {
    condition     = length(distinct([for s in concat(values(aws_subnet.private), values(aws_subnet.public)) : s.cidr_block])) == 6
    error_message = "subnets must not overlap"
  }
}

run "addons_and_tags" {
  command = plan
  assert {
    condition     = toset(keys(module.workloads.addons)) == toset(["aws-efs-csi-driver", "coredns", "kube-proxy", "metrics-server", "vpc-cni"])
    error_message = "the cluster needs network, DNS, metrics and the EFS driver"
  }
  assert {
    condition     = jsondecode(module.workloads.addons["vpc-cni"].values).enableNetworkPolicy == "true"
    error_message = "NetworkPolicies have to be obeyed"
  }
  assert {
    condition     = alltrue([for addon in values(module.workloads.addons) : addon.version == "v9.9.9-eksbuild.9"])
    error_message = "add-ons are of the version that goes with the cluster's, also after its upgrade"
  }
  assert {
    condition     = module.cluster.autoscaler_tags.services["k8s.io/cluster-autoscaler/trendlark-prod"] == "owned"
    error_message = "the autoscaler finds its groups by this tag"
  }
  assert {
    condition     = module.cluster.autoscaler_tags.training["k8s.io/cluster-autoscaler/node-template/taint/trendlark.io/training"] == "true:NoSchedule"
    error_message = "the autoscaler has to know the taint of a group without nodes"
  }
  assert {
    condition     = module.workloads.budget == null && module.workloads.cloud9 == 0
    error_message = "budget and Cloud9 are for who asks"
  }
}

run "private_api_by_default" {
  command = plan
  module {
    source = "./modules/cluster"
  }
  variables {
    name               = "trendlark-prod"
    kubernetes_version = "1.35"
    subnet_ids         = ["subnet-1", "subnet-2"]
    api_allowed_cidrs  = []
    admin_role_arns    = ["arn:aws:iam::123456789012:role/operator"]
    log_days           = 90
    tag_groups         = false
    nodes              = { instance_types = ["t3.large"], minimum = 2, desired = 3, maximum = 8, spot = false, disk_gib = 50 }
    training           = { instance_types = ["g6.xlarge"], maximum = 1, spot = true, gpu = true, disk_gib = 100 }
  }
  assert {
    condition     = !aws_eks_cluster.this.vpc_config[0].endpoint_public_access && aws_eks_cluster.this.vpc_config[0].endpoint_private_access
    error_message = "without api_allowed_cidrs the API must not be on the internet"
  }
  assert {
    condition     = aws_eks_node_group.training[0].scaling_config[0].desired_size == 0 && aws_eks_node_group.training[0].capacity_type == "SPOT" && aws_eks_node_group.training[0].ami_type == "AL2023_x86_64_NVIDIA"
    error_message = "the group that trains begins with no node, on spot, with NVIDIA's driver"
  }
  assert {
    condition     = aws_eks_node_group.services.capacity_type == "ON_DEMAND"
    error_message = "spot for the services is for who asks"
  }
  assert {
    condition     = aws_eks_node_group.services.version == "1.35" && aws_eks_node_group.training[0].version == "1.35"
    error_message = "nodes are upgraded with the cluster, which does not take them along by itself"
  }
  assert {
    condition     = aws_eks_node_group.services.node_group_name_prefix == "services-"
    error_message = "a group of other instances has to have another name, as it is made before the old one goes"
  }
  assert {
    condition     = length(aws_eks_access_entry.admin) == 1
    error_message = "a named role has to become an administrator"
  }
}

run "a_large_cpu_trains_on_demand" {
  command = plan
  module {
    source = "./modules/cluster"
  }
  variables {
    name               = "trendlark-prod"
    kubernetes_version = "1.35"
    subnet_ids         = ["subnet-1", "subnet-2"]
    api_allowed_cidrs  = []
    admin_role_arns    = []
    log_days           = 90
    tag_groups         = false
    nodes              = { instance_types = ["t2.small"], minimum = 1, desired = 1, maximum = 8, spot = true, disk_gib = 50 }
    training           = { instance_types = ["c7i.4xlarge"], maximum = 2, spot = false, gpu = false, disk_gib = 100 }
  }
  assert {
    condition     = aws_eks_node_group.training[0].capacity_type == "ON_DEMAND" && aws_eks_node_group.training[0].ami_type == "AL2023_x86_64_STANDARD" && aws_eks_node_group.training[0].scaling_config[0].min_size == 0
    error_message = "a large CPU needs no driver, may be on demand, and begins with no node, too"
  }
  assert {
    condition     = aws_eks_node_group.services.capacity_type == "SPOT" && aws_eks_node_group.services.instance_types == tolist(["t2.small"])
    error_message = "the services take spot instances when asked"
  }
}

run "budget_tells_two_addresses" {
  command = plan
  variables {
    budget_usd_per_month = 400
    alarm_emails         = ["a@example.org", "b@example.org"]
  }
  assert {
    condition = module.workloads.budget.limit_amount == "400" && toset([
      for n in module.workloads.budget.notification : "${n.notification_type} ${n.threshold} ${join(" ", sort(n.subscriber_email_addresses))}"
      ]) == toset([
      "ACTUAL 80 a@example.org b@example.org", "FORECASTED 100 a@example.org b@example.org",
    ])
    error_message = "the budget sounds at 80 % spent and when the forecast passes it"
  }
}

run "pod_identity_instead_of_irsa" {
  command = plan
  variables {
    pod_identity    = true
    enable_kubeflow = true
  }
  assert {
    condition = toset(module.identity.associations) == toset([
      "analyzer:trendlark:trendlark-analyzer",
      "cluster-autoscaler:kube-system:cluster-autoscaler",
      "collector:trendlark:trendlark-collector",
      "model:trendlark:trendlark-model",
      "pipeline:kubeflow:ml-pipeline",
      "pipeline:kubeflow:ml-pipeline-ui",
      "pipeline:kubeflow:pipeline-runner",
      "secrets:external-secrets:external-secrets",
      "web:trendlark:trendlark-web",
    ])
    error_message = "each ServiceAccount is associated with its role, the drivers by their add-ons"
  }
  assert {
    condition = contains(keys(module.workloads.addons), "eks-pod-identity-agent") && alltrue([
      for addon in values(module.workloads.addons) : addon.role == null
    ])
    error_message = "the agent runs, and no add-on has a role of IRSA"
  }
  assert {
    condition     = jsondecode(module.identity.trust["collector"]).Statement[0].Principal.Service == "pods.eks.amazonaws.com"
    error_message = "the roles trust EKS, not the OIDC provider"
  }
  assert {
    condition     = jsondecode(module.identity.trust["collector"]).Statement[0].Condition.StringEquals["aws:RequestTag/eks-cluster-name"] == "trendlark-prod"
    error_message = "a cluster beside this one must not get these roles"
  }
}

run "kubeflow_has_volumes_for_its_databases" {
  command = plan
  variables {
    enable_kubeflow = true
  }
  assert {
    condition     = contains(keys(module.workloads.addons), "aws-ebs-csi-driver") && contains(keys(module.identity.accounts), "ebs-csi")
    error_message = "the EBS driver needs its role"
  }
}

run "cloud9_only_when_asked" {
  command = plan
  variables {
    enable_cloud9 = true
  }
  assert {
    condition     = module.workloads.cloud9 == 1
    error_message = "enable_cloud9 makes one environment"
  }
}

run "shared_repositories_keep_their_address" {
  command = plan
  variables {
    create_repositories = false
  }
  assert {
    condition     = output.repositories["trendlark/service"] == "123456789012.dkr.ecr.us-east-1.amazonaws.com/trendlark/service"
    error_message = "the second environment of an account uses the first one's repositories"
  }
}

run "backups_and_no_easy_destruction" {
  command = plan
  module {
    source = "./modules/storage"
  }
  variables {
    name                  = "trendlark-prod"
    vpc_id                = "vpc-1"
    subnet_ids            = { us-east-1a = "subnet-1" }
    client_cidrs          = { us-east-1a = "10.40.0.0/20" }
    lake_noncurrent_days  = 1
    model_noncurrent_days = 30
    log_days              = 90
    efs_backup            = true
    allow_destroy         = false
  }
  assert {
    condition     = aws_efs_backup_policy.this[0].backup_policy[0].status == "ENABLED"
    error_message = "prod's file system is backed up"
  }
  assert {
    condition     = !aws_s3_bucket.lake.force_destroy
    error_message = "destroy must not take a lake that holds tables"
  }
}
