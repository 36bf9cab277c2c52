"""Several ranks on the CPU, over gloo: only to test what several GPUs do, never to train.

The official code refuses ranks without CUDA devices; here they all compute on the CPU.
"""
import ast

from . import edit


class Unguarded(edit.Edit):
    """The assertion about CUDA devices, and what follows it, for ranks without a GPU."""
    name, fewest, most = 'cpu_ranks', 3, 3

    def visit_Assert(self, node):
        if not edit.is_code(node.test, 'torch.cuda.device_count() > LOCAL_RANK'):
            return node
        self.found += 1
        return None

    def visit_Expr(self, node):
        if edit.is_code(node, 'torch.cuda.set_device(LOCAL_RANK)'):
            self.found += 1
            return None
        return node

    def visit_Assign(self, node):
        if edit.is_code(node, "device = torch.device('cuda', LOCAL_RANK)"):
            self.found += 1
            node.value = ast.parse("torch.device('cpu')", mode='eval').body
        return node


class Parallel(edit.Edit):
    """if cuda and RANK != -1: model = smart_DDP(model), for the CPU as well."""
    name = 'cpu_ranks'

    def visit_If(self, node):
        self.generic_visit(node)
        if edit.is_code(node.test, 'cuda and RANK != -1') and 'smart_DDP' in ast.dump(node.body[0]):
            self.found += 1
            node.test = ast.parse('RANK != -1', mode='eval').body
        return node


def edits():
    return [Unguarded(), Parallel()]


def attach(names):
    import torch.distributed as dist
    import utils.torch_utils as tu
    from torch.nn.parallel import DistributedDataParallel
    init = dist.init_process_group
    dist.init_process_group = lambda backend=None, **kwargs: init(backend='gloo', **kwargs)
    tu.smart_DDP = lambda model: DistributedDataParallel(model)
