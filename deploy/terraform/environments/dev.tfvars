# To try and to develop: one NAT gateway, spot nodes, everything may be destroyed.
environment         = "dev"
node_instance_types = ["t3.small", "t3a.small", "t2.small"]
node_spot           = true
log_days            = 7
efs_backup          = false
allow_destroy       = true
