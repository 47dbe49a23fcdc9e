"""MiniMax-Text-01 and MiniMax-M1 (MiniMax-01, arXiv 2501.08313), in torch.

Start with model.py: it is the paper's figure 3 in code. lightning.py is its section 2.2, experts.py its section 2.1.
"""
