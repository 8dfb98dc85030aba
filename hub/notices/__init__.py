"""What people are told of by e-mail: requests that wait too long, agreements and trainings that end."""
