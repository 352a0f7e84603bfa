output "vpc_id" {
  description = "Id of the network."
  value       = aws_vpc.this.id
}

output "private_subnet_ids" {
  description = "Ids of the subnets without a public address, by zone."
  value       = { for zone, subnet in aws_subnet.private : zone => subnet.id }
}

output "private_subnet_cidrs" {
  description = "Address ranges of those subnets, by zone."
  value       = { for zone, subnet in aws_subnet.private : zone => subnet.cidr_block }
}
