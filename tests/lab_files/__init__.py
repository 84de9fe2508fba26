"""Ordinary lab files with their truth, and a judge of how they were read: right, refused, or wrong."""
