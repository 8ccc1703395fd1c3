"""What the redactor in `secret.py` knows: shapes of secrets, forms of values, and where they stand in what is written."""
