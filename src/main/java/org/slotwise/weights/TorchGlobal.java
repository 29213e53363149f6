package org.slotwise.weights;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A class or function that a pickle names. Those that make tensors, dicts and sets are known; all
 * others make a {@link TorchObject}. Nothing is ever run.
 */
record TorchGlobal(String name) {

    private static final int LONGEST = 200;

    private static final Set<String> PLAIN_TENSORS =
            Set.of("torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer");

    /** Tensors of other kinds, and what makes plain ones of them in Python. */
    private static final Map<String, UnreadableTensor> UNREADABLE =
            Map.of(
                    "torch._utils._rebuild_sparse_tensor",
                    new UnreadableTensor("a sparse tensor", "%s.to_dense()"),
                    "torch._utils._rebuild_sparse_csr_tensor",
                    new UnreadableTensor("a sparse tensor", "%s.to_dense()"),
                    "torch._utils._rebuild_qtensor",
                    new UnreadableTensor("a quantized tensor", "%s.dequantize()"),
                    "torch._utils._rebuild_nested_tensor",
                    new UnreadableTensor("a nested tensor", "%s.to_padded_tensor(0.0)"),
                    "torch._utils._rebuild_meta_tensor_no_storage",
                    new UnreadableTensor("a tensor of the device meta, without values", ""));

    static TorchGlobal named(String module, String name) {
        String full = module + "." + name;
        return new TorchGlobal(full.substring(0, Math.min(full.length(), LONGEST)));
    }

    /** The result of a function, or an object of a class. */
    Object call(List<Object> arguments) throws IOException {
        return switch (name) {
            case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2" ->
                    TorchTensor.of(arguments, false);
            case "torch._utils._rebuild_tensor_v3" -> TorchTensor.of(arguments, true);
            case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state" ->
                    parameter(arguments);
            case "torch._tensor._rebuild_from_type", "torch._tensor._rebuild_from_type_v2" ->
                    ofType(arguments);
            case "collections.OrderedDict", "collections.defaultdict" -> dict(arguments);
            case "torch.device" -> "device";
            case "builtins.set", "builtins.frozenset", "__builtin__.set", "torch.Size" ->
                    arguments.isEmpty() ? new ArrayList<>() : TorchPickle.list(arguments.get(0));
            default -> other(arguments);
        };
    }

    private Object other(List<Object> arguments) {
        UnreadableTensor unreadable = UNREADABLE.get(name);
        if (unreadable != null) {
            return unreadable;
        }
        if (name.startsWith("torch._utils._rebuild_") || name.startsWith("torch.nn.parameter.")) {
            return new UnreadableTensor("a tensor made by " + name, "");
        }
        return object(arguments);
    }

    /** An object of this class that knows what it was given. */
    TorchObject object(List<Object> arguments) {
        return new TorchObject(name, arguments);
    }

    private static Object parameter(List<Object> arguments) throws IOException {
        Object data = arguments.isEmpty() ? "" : arguments.get(0);
        if (data instanceof TorchTensor || data instanceof UnreadableTensor) {
            return data;
        }
        throw new IOException("the pickle makes a parameter of what is not a tensor");
    }

    /** From (function, type, arguments, state): a tensor with attributes, or of a class. */
    private static Object ofType(List<Object> arguments) throws IOException {
        if (arguments.size() < 3
                || !(arguments.get(0) instanceof TorchGlobal function)
                || !(arguments.get(1) instanceof TorchGlobal type)
                || function.name.startsWith("torch._tensor.")) {
            throw new IOException("the pickle has a tensor that is not one");
        }
        Object made = function.call(TorchPickle.list(arguments.get(2)));
        if (made instanceof TorchTensor && !PLAIN_TENSORS.contains(type.name)) {
            return new UnreadableTensor(
                    "a tensor of the class " + type.name, "%s.as_subclass(torch.Tensor)");
        }
        return made;
    }

    /** An empty dict, whose items follow; a defaultdict also has its factory. */
    private Object dict(List<Object> arguments) throws IOException {
        if (arguments.size() > (name.endsWith("defaultdict") ? 1 : 0)) {
            throw new IOException("the pickle has an OrderedDict with items of an older Python");
        }
        return new TorchDict();
    }
}
