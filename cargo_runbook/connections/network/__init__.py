"""Questions that go over the network from the operator: HTTP, DNS, TLS."""
