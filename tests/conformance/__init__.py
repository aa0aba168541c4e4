"""The known shapes of opening and closing, for sessions."""
