# To rely on: three zones, each with its NAT gateway, larger nodes, backups, a group for training.
# In the account where dev already made the image repositories add: create_repositories = false
environment         = "prod"
zone_count          = 3
nat_per_zone        = true
node_instance_types = ["t3.large"]
node_minimum        = 2
node_desired        = 3
node_disk_gib       = 50
log_days            = 90

training = {
  instance_types = ["g6.xlarge"]
  gpu            = true
}
