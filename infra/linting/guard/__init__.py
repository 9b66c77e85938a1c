"""AWS's published rules for NIST 800-53, CIS and PCI DSS, checked by cfn-guard."""
