package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Script;
import org.slotwise.torchscript.ScriptModule;

/**
 * A yes or no through which gradients flow: a number between 0 and 1 that is near one of them.
 *
 * <p>Source: Maddison, Mnih and Teh, "The Concrete Distribution" (2017), appendix B; the same
 * numbers as PyTorch's {@code RelaxedBernoulli}, whose logit goes through a probability and back.
 *
 * <pre>{@code
 * p = clamp(sigmoid(logit), eps, 1 - eps)      u = clamp(uniform, eps, 1 - eps)
 * z = clamp(sigmoid((ln u - ln(1 - u) + ln p - ln(1 - p)) / temperature), tiny, 1 - eps)
 * }</pre>
 *
 * <p>eps is the type's precision, 2^-23 in float32 and 2^-52 in float64, tiny its smallest normal
 * number. No gradient flows where something is clamped.
 *
 * @param temperature above 0; the smaller, the nearer to 0 or 1
 */
public record RelaxedBernoulli(double temperature) {

    private static final String WHO = "RelaxedBernoulli";

    /**
     * Creates the sampling.
     *
     * @param temperature above 0
     * @throws IllegalArgumentException if the temperature is not above 0 and finite
     */
    public RelaxedBernoulli {
        Check.positive(WHO, "temperature", temperature);
    }

    private static final ConcurrentMap<DataType, NDArray> BOUNDS = new ConcurrentHashMap<>();

    private static final String FUNCTIONS =
            """
            def sample(self, logits: Tensor,
              uniform: Tensor,
              temperature: Tensor,
              bounds: Tensor) -> Tensor:
              eps = float(torch.select(bounds, 0, 0))
              most = float(torch.select(bounds, 0, 1))
              tiny = float(torch.select(bounds, 0, 2))
              p = torch.clamp(torch.sigmoid(logits), eps, most)
              u = torch.clamp(uniform, eps, most)
              a = torch.sub(torch.log(u), torch.log1p(torch.neg(u)))
              b = torch.sub(torch.add(a, torch.log(p)), torch.log1p(torch.neg(p)))
              return torch.clamp(torch.sigmoid(torch.div(b, temperature)), tiny, most)
            def log_density(self, logits: Tensor,
              value: Tensor,
              temperature: Tensor,
              bounds: Tensor) -> Tensor:
              most = float(torch.select(bounds, 0, 1))
              tiny = float(torch.select(bounds, 0, 2))
              v = torch.clamp(value, tiny, most)
              x = torch.sub(torch.log(v), torch.log1p(torch.neg(v)))
              d = torch.sub(logits, torch.mul(x, temperature))
              e = torch.sub(torch.add(torch.log(temperature), d), torch.log1p(torch.exp(d)), alpha=2)
              j = torch.add(torch.softplus(torch.neg(x)), torch.softplus(x))
              return torch.add(e, j)
            """;

    /** The script, loaded at the first use. */
    private static final class Loaded {
        static final Script SCRIPT = Script.plain(FUNCTIONS);
    }

    /**
     * The equations: {@code sample(logits, uniform, temperature, bounds)}, and {@code log_density}
     * likewise. Bounds are those of {@link #bounds}.
     *
     * @return a module
     */
    public static ScriptModule script() {
        return ScriptModule.builder(WHO).setCode(FUNCTIONS).build();
    }

    /**
     * The smallest and the largest probability, and the smallest sample.
     *
     * @param type float32 or float64
     * @return (3) float64, which lives as long as the process
     */
    public static NDArray bounds(DataType type) {
        return BOUNDS.computeIfAbsent(type, RelaxedBernoulli::newBounds);
    }

    /**
     * Samples.
     *
     * @param logits any array of float32 or float64
     * @param uniform draws from [0, 1), of the logits' shape; null to draw them with the engine's
     *     generator
     * @return z, of the logits' shape
     * @throws IllegalArgumentException if shapes or types do not agree
     */
    public NDArray sample(NDArray logits, @Nullable NDArray uniform) {
        type("logits", logits);
        if (uniform != null) {
            agree("uniform", uniform, logits);
        }
        NDArray u = uniform == null ? Ops.uniform(logits, logits.getShape().getShape()) : uniform;
        return call("sample", logits, u);
    }

    /**
     * The logarithm of the density.
     *
     * @param logits any array of float32 or float64
     * @param value z, above 0 and below 1, of the logits' shape; clamped to the bounds of samples
     * @return ln p(z), of the logits' shape
     * @throws IllegalArgumentException if shapes or types do not agree
     */
    public NDArray logDensity(NDArray logits, NDArray value) {
        type("logits", logits);
        agree("value", value, logits);
        return call("log_density", logits, value);
    }

    private static void type(String what, NDArray array) {
        DataType type = Check.present(WHO, what, array).getDataType();
        Check.option(
                type == DataType.FLOAT32 || type == DataType.FLOAT64,
                WHO + ": " + what + " must be float32 or float64, got " + Check.name(type));
    }

    private static void agree(String what, NDArray array, NDArray logits) {
        Check.present(WHO, what, array);
        Check.option(
                array.getShape().equals(logits.getShape()),
                WHO + ": " + what + " must be " + logits.getShape() + ", got " + array.getShape());
        Check.sameTypeAndDevice(WHO, what, array, "logits", logits);
    }

    private NDArray call(String function, NDArray logits, NDArray other) {
        NDArray bounds = bounds(logits.getDataType());
        NDArray tau = Scalars.like(logits, temperature);
        return Loaded.SCRIPT.call(function, logits, other, tau, bounds).singletonOrThrow();
    }

    private static NDArray newBounds(DataType type) {
        boolean single = type == DataType.FLOAT32;
        double eps = single ? 0x1p-23 : 0x1p-52;
        return Script.constant(eps, 1 - eps, single ? Float.MIN_NORMAL : Double.MIN_NORMAL);
    }
}
