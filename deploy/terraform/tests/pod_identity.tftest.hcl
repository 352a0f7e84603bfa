# Outputs that hold ARNs are known only once they are applied; the mocked provider makes them up.

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
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/made-up" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000", key_id = "00000000-0000-0000-0000-000000000000" }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/made-up" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::made-up" }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-00000000000000000" }
  }
  mock_resource "aws_eks_cluster" {
    defaults = { identity = [{ oidc = [{ issuer = "https://made.up/id" }] }] }
  }
  mock_resource "aws_eks_node_group" {
    defaults = { resources = [{ autoscaling_groups = [{ name = "made-up" }], remote_access_security_group_id = "" }] }
  }
}

run "pods_reach_the_agent_and_no_account_names_a_role" {
  command = apply
  variables {
    pod_identity = true
  }
  assert {
    condition     = strcontains(output.manifests.account, "169.254.170.23/32")
    error_message = "pods have to reach the agent on their node"
  }
  assert {
    condition     = !strcontains(join("", concat(values(output.manifests), values(output.kustomizations), values(output.helm_values))), "role-arn")
    error_message = "roles come by association, not by annotation"
  }
  assert {
    condition     = !strcontains(output.manifests.secrets, "serviceAccountRef")
    error_message = "the operator reads as itself"
  }
}
