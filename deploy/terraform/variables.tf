variable "environment" {
  description = "Which environment this is: dev or prod; also the Terraform workspace of its state."
  type        = string

  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "Found environment \"${var.environment}\"; dev and prod are allowed. Give -var-file=environments/dev.tfvars or environments/prod.tfvars."
  }
}

variable "name" {
  description = "Prefix of every name; null takes trendlark-<environment>."
  type        = string
  default     = null

  validation {
    condition     = var.name == null || can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name))
    error_message = "Found name \"${coalesce(var.name, "-")}\"; 3 to 24 lower-case letters, digits and hyphens, beginning with a letter, are allowed, because buckets and roles are named with it. Choose another."
  }
}

variable "region" {
  description = "AWS region."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "Found region \"${var.region}\"; an AWS region such as us-east-1 is allowed. `aws ec2 describe-regions` lists them."
  }
}

variable "tags" {
  description = "Tags for everything, besides Project, Environment and ManagedBy."
  type        = map(string)
  default     = {}
}

variable "cidr" {
  description = "Address range of the network."
  type        = string
  default     = "10.40.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.cidr)) && endswith(var.cidr, "/16")
    error_message = "Found cidr \"${var.cidr}\"; an IPv4 range with /16 is allowed, because pods take addresses from it. Give one such as 10.40.0.0/16 that your other networks do not use."
  }
}

variable "zone_count" {
  description = "Availability zones to spread over."
  type        = number
  default     = 2

  validation {
    condition     = contains([2, 3], var.zone_count)
    error_message = "Found zone_count ${var.zone_count}; 2 or 3 are allowed (EKS needs two). Choose one of them."
  }
}

variable "nat_per_zone" {
  description = "One NAT gateway in each zone instead of one for all: survives the loss of a zone, costs that much more."
  type        = bool
  default     = false
}

variable "kubernetes_version" {
  description = "Version of Kubernetes on EKS; `aws eks describe-cluster-versions` lists those in standard support."
  type        = string
  default     = "1.35"

  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.kubernetes_version))
    error_message = "Found kubernetes_version \"${var.kubernetes_version}\"; two numbers such as 1.35 are allowed. Leave the patch level out: EKS chooses it."
  }
}

variable "api_allowed_cidrs" {
  description = "Addresses that may reach the Kubernetes API from the internet; none makes it private to the network."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.api_allowed_cidrs : can(cidrnetmask(cidr))])
    error_message = "Found api_allowed_cidrs ${join(", ", var.api_allowed_cidrs)}; IPv4 ranges are allowed. Write a single address with /32, such as 203.0.113.7/32."
  }

  validation {
    condition     = !contains(var.api_allowed_cidrs, "0.0.0.0/0")
    error_message = "Found 0.0.0.0/0 in api_allowed_cidrs; ranges of your own are allowed, not the whole internet. Give the address that https://checkip.amazonaws.com tells you, with /32."
  }
}

variable "admin_role_arns" {
  description = "IAM roles that administer the cluster besides who made it."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.admin_role_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/.+$", arn))])
    error_message = "Found admin_role_arns ${join(", ", var.admin_role_arns)}; ARNs of IAM roles are allowed. `aws iam list-roles` shows them."
  }
}

variable "log_days" {
  description = "Days that control plane logs and access logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365], var.log_days)
    error_message = "Found log_days ${var.log_days}; CloudWatch allows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180 or 365. Choose one of them."
  }
}

variable "node_instance_types" {
  description = "Instance types of the nodes that run the services; with node_spot several are better than one."
  type        = list(string)
  default     = ["t3.small"]

  validation {
    condition     = length(var.node_instance_types) > 0 && alltrue([for type in var.node_instance_types : can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", type))])
    error_message = "Found node_instance_types ${join(", ", var.node_instance_types)}; one or more such as t3.small or t2.small are allowed. `aws ec2 describe-instance-types` lists them."
  }

  validation {
    condition     = alltrue([for type in var.node_instance_types : !endswith(type, ".nano") && !endswith(type, ".micro")])
    error_message = "Found node_instance_types ${join(", ", var.node_instance_types)}; small and larger are allowed, because a nano or micro is full with the pods of the system. Take t3.small or larger."
  }

  # Graviton has a g behind its generation: t4g, m7gd, g5g.
  validation {
    condition     = alltrue([for type in var.node_instance_types : !can(regex("^(a1|[a-z]+[0-9]+g[a-z]*)\\.", type))])
    error_message = "Found node_instance_types ${join(", ", var.node_instance_types)}; x86-64 is allowed, not Arm, because nodes take the x86-64 image of EKS. Take t3a.small or another without a g behind the generation."
  }
}

variable "node_minimum" {
  description = "Fewest nodes for the services."
  type        = number
  default     = 1

  validation {
    condition     = var.node_minimum >= 1 && var.node_minimum <= 8 && floor(var.node_minimum) == var.node_minimum
    error_message = "Found node_minimum ${var.node_minimum}; whole numbers from 1 to 8 are allowed. To stop paying for nodes, destroy the environment."
  }
}

variable "node_desired" {
  description = "Nodes to begin with; afterwards the autoscaler decides."
  type        = number
  default     = 2

  validation {
    condition     = var.node_desired >= var.node_minimum && var.node_desired <= var.node_maximum
    error_message = "Found node_desired ${var.node_desired}; node_minimum (${var.node_minimum}) to node_maximum (${var.node_maximum}) are allowed. Choose a number between them."
  }
}

variable "node_maximum" {
  description = "Most nodes for the services."
  type        = number
  default     = 8

  validation {
    condition     = var.node_maximum >= 1 && var.node_maximum <= 8 && floor(var.node_maximum) == var.node_maximum
    error_message = "Found node_maximum ${var.node_maximum}; whole numbers from 1 to 8 are allowed. For more work take larger instances by node_instance_types."
  }

  validation {
    condition     = var.node_maximum >= var.node_minimum
    error_message = "Found node_maximum ${var.node_maximum} below node_minimum ${var.node_minimum}; it must be as large or larger. Raise the one or lower the other."
  }
}

variable "node_spot" {
  description = "Spot instances for the services: cheaper, and taken away at two minutes' notice."
  type        = bool
  default     = false
}

variable "node_disk_gib" {
  description = "Disk of a node in GiB."
  type        = number
  default     = 30

  validation {
    condition     = var.node_disk_gib >= 20 && var.node_disk_gib <= 1000
    error_message = "Found node_disk_gib ${var.node_disk_gib}; 20 to 1000 are allowed, because images need about 10. Choose a number between them."
  }
}

variable "training" {
  description = "The group that trains, from zero nodes up when a training pod waits; null for none. gpu takes the image with NVIDIA's driver."
  type = object({
    instance_types = list(string)
    maximum        = optional(number, 1)
    spot           = optional(bool, true)
    gpu            = optional(bool, false)
    disk_gib       = optional(number, 100)
  })
  default = null

  validation {
    condition     = var.training == null ? true : length(var.training.instance_types) > 0
    error_message = "Found training without instance_types; one or more are needed, such as [\"g6.xlarge\"] with gpu = true or [\"c7i.4xlarge\"]. Name one, or leave training out."
  }

  validation {
    condition     = var.training == null ? true : var.training.maximum >= 1 && var.training.maximum <= 8
    error_message = "Found a training.maximum outside 1 to 8. Choose a number between them, or leave training out."
  }

  validation {
    condition     = var.training == null ? true : var.training.disk_gib >= 20 && var.training.disk_gib <= 1000
    error_message = "Found a training.disk_gib outside 20 to 1000. Choose a number between them; the image for training alone needs some 10."
  }

  validation {
    condition     = var.training == null ? true : alltrue([for type in var.training.instance_types : can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", type)) && !can(regex("^(a1|[a-z]+[0-9]+g[a-z]*)\\.", type))])
    error_message = "Found training.instance_types ${try(join(", ", var.training.instance_types), "")}; x86-64 types such as g6.xlarge or c7i.4xlarge are allowed, not Arm. Take one without a g behind the generation."
  }

  validation {
    condition     = var.training == null ? true : alltrue([for type in var.training.instance_types : can(regex("^(g|gr|p)[0-9]", type)) == var.training.gpu])
    error_message = "Found training.instance_types ${try(join(", ", var.training.instance_types), "")} with gpu = ${try(var.training.gpu, false)}; gpu must be true for types with a GPU (g and p) and false for all others. Correct the one or the other."
  }
}

variable "pod_identity" {
  description = "Give ServiceAccounts their roles by EKS Pod Identity instead of IRSA."
  type        = bool
  default     = false
}

variable "pipeline_service_accounts" {
  description = "ServiceAccounts, as namespace:name, that pipelines run as and that get the pipeline role."
  type        = list(string)
  default     = ["kubeflow:pipeline-runner", "kubeflow:ml-pipeline", "kubeflow:ml-pipeline-ui"]

  validation {
    condition     = length(var.pipeline_service_accounts) > 0 && alltrue([for a in var.pipeline_service_accounts : can(regex("^[a-z0-9-]{1,63}:[a-z0-9.-]{1,253}$", a))])
    error_message = "Found pipeline_service_accounts ${join(", ", var.pipeline_service_accounts)}; one or more as namespace:name are allowed, such as kubeflow:pipeline-runner. `kubectl get serviceaccounts -A` lists them."
  }
}

variable "enable_kubeflow" {
  description = "Make what Kubeflow needs besides: the EBS driver, its role and a default StorageClass for the databases."
  type        = bool
  default     = false
}

variable "image_tag" {
  description = "Tag of the images that the manifests name; by itself that of the release."
  type        = string
  default     = "0.1.0"

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", var.image_tag)) && var.image_tag != "latest"
    error_message = "Found image_tag \"${var.image_tag}\"; a tag of letters, digits, dots and hyphens is allowed, and latest is not, because it says nothing. Give the tag that you pushed."
  }
}

variable "enable_addons" {
  description = "Install the EKS add-ons (network, DNS, metrics, EFS driver). Off only where the cloud is a stand-in without them."
  type        = bool
  default     = true
}

variable "enable_autoscaler_tags" {
  description = "Tag the Auto Scaling groups for the Cluster Autoscaler. Off only where the cloud is a stand-in without them."
  type        = bool
  default     = true
}

variable "lake_noncurrent_days" {
  description = "Days that overwritten and deleted objects of the lake can be brought back, and that a forgotten tweet outlasts its removal by."
  type        = number
  default     = 1

  validation {
    condition     = var.lake_noncurrent_days >= 1 && var.lake_noncurrent_days <= 30
    error_message = "Found lake_noncurrent_days ${var.lake_noncurrent_days}; 1 to 30 are allowed. 1 is what the deletion rules of X suggest."
  }
}

variable "model_noncurrent_days" {
  description = "Days that overwritten and deleted models and pipeline artefacts can be brought back."
  type        = number
  default     = 30

  validation {
    condition     = var.model_noncurrent_days >= 1 && var.model_noncurrent_days <= 365
    error_message = "Found model_noncurrent_days ${var.model_noncurrent_days}; 1 to 365 are allowed. Choose a number between them."
  }
}

variable "efs_backup" {
  description = "Daily backups of the file system, kept 35 days; a tweet forgotten meanwhile stays in them that long."
  type        = bool
  default     = true
}

variable "create_repositories" {
  description = "Make the image repositories; false for the second environment of one account, which shares them."
  type        = bool
  default     = true
}

variable "kept_images" {
  description = "Images kept in each repository."
  type        = number
  default     = 20

  validation {
    condition     = var.kept_images >= 2 && var.kept_images <= 500
    error_message = "Found kept_images ${var.kept_images}; 2 to 500 are allowed, so that a roll-back finds its image. Choose a number between them."
  }
}

variable "allow_destroy" {
  description = "Let destroy take buckets, repositories and secrets with what is in them."
  type        = bool
  default     = false
}

variable "budget_usd_per_month" {
  description = "Monthly cost in US dollars that sounds the alarm; 0 for none."
  type        = number
  default     = 0

  validation {
    condition     = var.budget_usd_per_month >= 0
    error_message = "Found budget_usd_per_month ${var.budget_usd_per_month}; 0 (no alarm) and more are allowed. Give the dollars of a month."
  }
}

variable "alarm_emails" {
  description = "Who is told when the cost nears or is forecast to pass the budget."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for mail in var.alarm_emails : can(regex("^[^@ ]+@[^@ ]+$", mail))])
    error_message = "Found alarm_emails ${join(", ", var.alarm_emails)}; mail addresses are allowed. Correct them."
  }

  validation {
    condition     = var.budget_usd_per_month == 0 || length(var.alarm_emails) > 0
    error_message = "Found budget_usd_per_month ${var.budget_usd_per_month} and no alarm_emails; a budget needs one or more. Give them, or set the budget to 0."
  }
}

variable "enable_cloud9" {
  description = "Make a Cloud9 environment. Only for accounts that used Cloud9 before July 2024."
  type        = bool
  default     = false
}
