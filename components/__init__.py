"""What a department's platform is made of: typed settings, naming rules, and components that build a workspace."""
