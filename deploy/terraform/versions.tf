terraform {
  required_version = "~> 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }

  # The bucket and its region come by -backend-config (docs/aws.md makes the bucket). The lock is an object
  # beside the state, written on condition that there is none: no DynamoDB table.
  backend "s3" {
    key          = "trendlark/terraform.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = merge(var.tags, {
      Project     = "trendlark"
      Environment = var.environment
      ManagedBy   = "terraform"
    })
  }
}
