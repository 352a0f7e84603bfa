# Each variable refuses what would fail, or cost, only later: all of it is told at once.

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_availability_zones" {
    defaults = { names = ["us-east-1a", "us-east-1b", "us-east-1c"] }
  }
  mock_data "aws_eks_addon_version" {
    defaults = { version = "v9.9.9-eksbuild.9" }
  }
}

run "refused_at_once" {
  command = plan
  variables {
    environment         = "staging"
    name                = "Trendlark_Dev"
    region              = "virginia"
    cidr                = "10.40.0.0/20"
    zone_count          = 1
    kubernetes_version  = "1.35.2"
    api_allowed_cidrs   = ["0.0.0.0/0"]
    admin_role_arns     = ["operator"]
    log_days            = 2
    node_instance_types = ["t3.micro"]
    node_maximum        = 9
    node_disk_gib       = 8
    training            = { instance_types = [] }
    image_tag           = "latest"

    pipeline_service_accounts = ["pipeline-runner"]
    lake_noncurrent_days      = 0
    model_noncurrent_days     = 0
    kept_images               = 1
    budget_usd_per_month      = -1
  }
  expect_failures = [
    var.environment, var.name, var.region, var.cidr, var.zone_count, var.kubernetes_version,
    var.api_allowed_cidrs, var.admin_role_arns, var.log_days, var.node_instance_types, var.node_maximum,
    var.node_disk_gib, var.training, var.pipeline_service_accounts, var.image_tag,
    var.lake_noncurrent_days, var.model_noncurrent_days, var.kept_images, var.budget_usd_per_month,
  ]
}

run "refused_more_than_the_most_and_mails_to_nobody" {
  command = plan
  variables {
    environment          = "dev"
    node_minimum         = 1
    node_desired         = 3
    node_maximum         = 2
    budget_usd_per_month = 100
  }
  expect_failures = [var.node_desired, var.alarm_emails]
}

run "refused_least_above_most" {
  command = plan
  variables {
    environment  = "dev"
    node_minimum = 4
    node_maximum = 3
  }
  expect_failures = [var.node_maximum]
}

run "refused_no_nodes_and_no_address" {
  command = plan
  variables {
    environment  = "dev"
    node_minimum = 0
    alarm_emails = ["nobody"]
  }
  expect_failures = [var.node_minimum, var.alarm_emails]
}

run "refused_arm" {
  command = plan
  variables {
    environment         = "dev"
    node_instance_types = ["t3.small", "t4g.small"]
    training            = { instance_types = ["g5g.xlarge"], gpu = true, disk_gib = 10 }
  }
  expect_failures = [var.node_instance_types, var.training]
}

run "refused_a_gpu_without_its_driver" {
  command = plan
  variables {
    environment = "dev"
    training    = { instance_types = ["g6.xlarge"] }
  }
  expect_failures = [var.training]
}

run "refused_a_driver_without_a_gpu" {
  command = plan
  variables {
    environment = "dev"
    training    = { instance_types = ["c7i.4xlarge"], gpu = true }
  }
  expect_failures = [var.training]
}

run "accepted_t2_small" {
  command = plan
  variables {
    environment         = "dev"
    node_instance_types = ["t2.small"]
    node_minimum        = 1
    node_desired        = 1
    node_maximum        = 1
  }
  assert {
    condition     = output.name == "trendlark-dev"
    error_message = "the name follows the environment"
  }
}
