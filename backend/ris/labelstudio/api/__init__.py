"""Call Label Studio's API and fetch its images."""
