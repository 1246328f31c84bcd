"""What several benchmarks use: photos, rows and reports, drawn faces, the paper's loop."""
