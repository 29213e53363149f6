package org.slotwise.torchscript;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.OneDnn;
import org.slotwise.internal.Script;

/**
 * A module whose large linear maps are computed by oneDNN, for float32 on a CPU of this process:
 * nothing to write to a file, since other builds of PyTorch lack these operations. Weights of
 * convolutions that are kept for many calls lie in oneDNN's own order, in which the engine
 * otherwise lays them anew in each call.
 *
 * <p>Why and where: {@link OneDnn}, whose form of a map this has where a graph is recorded. Without
 * one a map is an operation of oneDNN that PyTorch's compiler uses. Small maps stay as they are:
 * there the calls cost more than the numbers.
 */
public final class OneDnnScript {

    /** Products from which on oneDNN is faster, without a graph and with one. */
    private static final int MANY = 2_000_000;

    private static final int MANY_WITH_GRAPH = 6_000_000;

    /** Numbers of a weight below which a map stays as it is, for however many places. */
    private static final int SMALL = 2_048;

    private static final String NO_MORE = "\"none\", annotate(List[Optional[number]], []), \"\"";

    private static final String LINEAR =
            """
            def forward(self, x: Tensor) -> Tensor:
              w = WEIGHT
              if torch.is_grad_enabled():
                return self.with_graph(x, w)
              if torch.gt(torch.mul(torch.numel(x), torch.size(w, 0)), MANY):
                return ops.mkldnn._linear_pointwise(x, w, BIAS, LAST)
              return torch.linear(x, w, BIAS)
            def plus(self, x: Tensor, y: Tensor) -> Tensor:
              w = WEIGHT
              many = torch.gt(torch.mul(torch.numel(x), torch.size(w, 0)), MANY)
              if torch.__and__(many, torch.__not__(torch.is_grad_enabled())):
                return ops.mkldnn._linear_pointwise(x, y, w, BIAS, "add")
              return torch.add(self.forward(x), y)
            def with_graph(self, x: Tensor, w: Tensor) -> Tensor:
              c = torch.size(w, 1)
              n = torch.numel(x)
              fits = torch.gt(n, LEAST)
              if torch.__and__(torch.gt(torch.mul(n, torch.size(w, 0)), MORE), fits):
                p = torch.permute(torch.reshape(x, [1, 1, -1, c]), [0, 3, 1, 2])
                y = torch.conv2d(p, torch.view(w, [torch.size(w, 0), c, 1, 1]), BIAS, [1, 1], [0, 0], [2, 2])
                size = torch.size(x)
                size[-1] = torch.size(w, 0)
                return torch.reshape(torch.permute(y, [0, 2, 3, 1]), size)
              return torch.linear(x, w, BIAS)
            """
                    .replace("MANY", Integer.toString(MANY))
                    .replace("LEAST", Long.toString(OneDnn.LEAST_INPUT))
                    .replace("MORE", Integer.toString(MANY_WITH_GRAPH))
                    .replace("LAST", NO_MORE);

    private static final String PRODUCT =
            LINEAR.substring(0, LINEAR.indexOf("def plus"))
                            .replace("x: Tensor)", "x: Tensor, w: Tensor)")
                            .replace("  w = WEIGHT\n", "")
                            .replace("BIAS", "None")
                    + LINEAR.substring(LINEAR.indexOf("def with_graph")).replace("BIAS", "None");

    private static final String GATED =
            """
            def forward(self, x: Tensor) -> Tensor:
              w = self.proj.weight
              many = torch.gt(torch.mul(torch.numel(x), torch.size(w, 0)), MANY)
              if torch.__and__(many, torch.__not__(torch.is_grad_enabled())):
                w0, w1 = torch.chunk(w, 2, 0)
                b0, b1 = torch.chunk(self.proj.bias, 2, 0)
                b = ops.mkldnn._linear_pointwise(x, w1, b1, "gelu", annotate(List[Optional[number]], []), "none")
                y = ops.mkldnn._linear_pointwise(x, b, w0, b0, "mul")
              else:
                a, b = torch.chunk(self.proj.forward(x), 2, -1)
                y = torch.mul(a, torch.gelu(b))
              return y
            """
                    .replace("MANY", Integer.toString(MANY));

    private static final String ROWS =
            """
            def forward(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
              if torch.gt(torch.mul(torch.numel(x), torch.size(weight, 0)), MANY):
                return ops.mkldnn._linear_pointwise(x, weight, bias, LAST)
              return torch.linear(x, weight, bias)
            def plus(self, x: Tensor, weight: Tensor, bias: Tensor, y: Tensor) -> Tensor:
              if torch.gt(torch.mul(torch.numel(x), torch.size(weight, 0)), MANY):
                return ops.mkldnn._linear_pointwise(x, y, weight, bias, "add")
              return torch.add_(torch.linear(x, weight, bias), y)
            def back(self, x: Tensor, weight: Tensor, gradient: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
              n = torch.numel(x)
              c = torch.size(weight, 1)
              o = torch.size(weight, 0)
              if torch.__and__(torch.gt(torch.mul(n, o), MORE), torch.gt(n, LEAST)):
                p = torch.permute(torch.reshape(x, [1, 1, -1, c]), [0, 3, 1, 2])
                q = torch.permute(torch.reshape(gradient, [1, 1, -1, o]), [0, 3, 1, 2])
                w = torch.view(weight, [o, c, 1, 1])
                a, d, b = torch.convolution_backward(q, p, w, [o], [1, 1], [0, 0], [2, 2], False, [0, 0], 1, [True, True, True])
                a = torch.reshape(torch.permute(a, [0, 2, 3, 1]), torch.size(x))
              else:
                a = torch.mm(gradient, weight)
                d = torch.mm(torch.t(gradient), x)
                b = torch.sum(gradient, [0])
              return (a, torch.view(d, [o, c]), b)
            """
                    .replace("MANY", Integer.toString(MANY))
                    .replace("LEAST", Long.toString(OneDnn.LEAST_INPUT))
                    .replace("MORE", Integer.toString(MANY_WITH_GRAPH))
                    .replace("LAST", NO_MORE);

    /** Products from which on a map with its ReLU is faster by oneDNN, without a graph. */
    private static final int MANY_ACTIVATED = 1_000_000;

    private static final String ACTIVATED =
            """
            def activated(self, x: Tensor) -> Tensor:
              w = self.weight
              if torch.gt(torch.mul(torch.numel(x), torch.size(w, 0)), MANY):
                return ops.mkldnn._linear_pointwise(x, w, self.bias, "relu", annotate(List[Optional[number]], []), "")
              return torch.relu_(torch.linear(x, w, self.bias))
            """
                    .replace("MANY", Integer.toString(MANY_ACTIVATED));

    private static final Pattern BY =
            Pattern.compile("torch\\.conv2d\\(x, weight, bias, (\\[.*?]), (\\[.*?])\\)");

    private OneDnnScript() {}

    /** Whether this engine has oneDNN, found out at the first use. */
    private static final class Engine {
        static final boolean HAS_IT = hasIt();

        private static boolean hasIt() {
            String function =
                    """
                    def linear(self: __torch__.Script, x: Tensor) -> Tensor:
                      y = ops.mkldnn._linear_pointwise(x, x, None, "gelu", annotate(List[Optional[number]], []), "none")
                      z = ops.mkldnn._linear_pointwise(x, y, x, None, "mul")
                      w = torch.to_mkldnn(torch.view(x, [1, 1, 2, 2]))
                      w = torch.mkldnn_reorder_conv2d_weight(w, [0, 0], [1, 1], [1, 1], 1)
                      return torch.mkldnn_convolution(torch.view(z, [1, 1, 2, 2]), w, None, [0, 0], [1, 1], [1, 1], 1)
                    """;
            try (NDManager host = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
                NDArray x = host.ones(new Shape(2, 2));
                return NoGraph.during(() -> Script.plain(function).call("linear", x)).size() == 1;
            } catch (EngineException e) {
                return false;
            }
        }
    }

    /**
     * The same equations with oneDNN's operations.
     *
     * @param module of float32 parameters on a CPU
     * @return another module with the same parameters; the module itself where the engine lacks
     *     oneDNN
     */
    public static ScriptModule of(ScriptModule module) {
        return OneDnn.isHere() && Engine.HAS_IT
                ? module.rewritten(OneDnnScript::code, OneDnnScript::inference)
                : module;
    }

    private static String inference(ScriptModule module) {
        return module.type().equals("Linear") && module.parameters().containsKey("bias")
                ? ACTIVATED
                : module.inference();
    }

    private static String code(ScriptModule module) {
        return switch (module.type()) {
            case "Linear" -> linear(module, "self.weight");
            case "PointwiseConv2d" -> linear(module, "torch.flatten(self.weight, 1)");
            case "GEGLU" -> GATED;
            case "Product" -> PRODUCT;
            case "RowMaps" -> ROWS;
            case "Conv2d" -> packed(module.code());
            default -> module.code();
        };
    }

    /** Few places of a single image are left to the engine, as it leaves them to others. */
    private static String packed(String code) {
        Matcher by = BY.matcher(code);
        if (!by.find()) {
            return code;
        }
        String stride = by.group(1);
        String padding = by.group(2);
        String order = "%s, %s, [1, 1], 1)".formatted(padding, stride);
        String whole = "  return " + by.group();
        return code.replace(
                        "  return self.weight",
                        "  w = torch.to_mkldnn(torch.detach(self.weight))\n"
                                + "  return torch.mkldnn_reorder_conv2d_weight(w, "
                                + order)
                .replace(
                        whole,
                        "  few = torch.le(torch.numel(x), "
                                + OneDnn.LEAST_INPUT
                                + ")\n  if torch.__and__(few, torch.eq(torch.size(x, 0), 1)):\n  "
                                + whole.replace("weight", "self.weight")
                                + "\n  return torch.mkldnn_convolution(x, weight, bias, "
                                + order);
    }

    private static String linear(ScriptModule module, String weight) {
        Parameter values = Objects.requireNonNull(module.parameters().get("weight"));
        if (values.getArray().size() < SMALL) {
            return module.code();
        }
        Parameter bias = module.parameters().get("bias");
        return LINEAR.replace("WEIGHT", weight)
                .replace("BIAS", bias == null ? "None" : "self.bias");
    }
}
