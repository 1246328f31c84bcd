"""Reading what could execute code, without executing any: pickles, torch.save files and their tensors."""
