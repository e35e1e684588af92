"""What is kept on disk: the journal, tracks, latest positions, snapshots, files and secrets."""
