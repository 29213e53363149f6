package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Pass;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * Batch normalisation of each channel, as PyTorch's {@code nn.BatchNorm2d} with its eps of 1e-5 and
 * momentum of 0.1.
 *
 * <p>Source: Ioffe and Szegedy, "Batch Normalization" (2015).
 *
 * <pre>{@code
 * y = (x - m) / sqrt(v + eps) * g + o
 * }</pre>
 *
 * <p>In training m and v are the mean and variance of a channel over batch, height and width, and
 * the running ones come a tenth of the way towards them; in inference, or with fixed statistics, m
 * and v are the running ones.
 *
 * <p>x and y are (B, C, H, W); g is {@code weight} (C), o is {@code bias} (C), the running mean and
 * variance are {@code running_mean} and {@code running_var} (C), which are saved and not trained.
 */
public final class BatchNorm implements Layer, Scriptable {

    private final Parameter gain;
    private final Parameter offset;
    private final Parameter mean;
    private final Parameter variance;
    private final boolean fixedStatistics;
    private final long channels;

    private BatchNorm(Declarer parameters, long channels, boolean fixedStatistics) {
        gain = parameters.gain("weight", channels);
        offset = parameters.offset("bias", channels);
        mean = parameters.runningMean("running_mean", channels);
        variance = parameters.runningVariance("running_var", channels);
        this.channels = channels;
        this.fixedStatistics = fixedStatistics;
    }

    /**
     * A normalisation that starts as PyTorch's does: gain and variance at 1, offset and mean at 0.
     *
     * @param parameters declares under the layer's name
     * @param channels C
     * @param fixedStatistics whether it keeps to its running statistics in training too
     * @return the layer
     */
    public static BatchNorm of(Declarer parameters, long channels, boolean fixedStatistics) {
        return new BatchNorm(parameters, channels, fixedStatistics);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray apply(Pass pass, NDArray x) {
        Check.shape("BatchNorm", "input", x, "B", channels, "H", "W");
        return Ops.batchNorm(
                x,
                pass.value(gain),
                pass.value(offset),
                pass.value(mean),
                pass.value(variance),
                pass.training() && !fixedStatistics);
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        return ScriptModule.builder("BatchNorm2d")
                .parameter("weight", gain)
                .parameter("bias", offset)
                .parameter("running_mean", mean)
                .parameter("running_var", variance)
                .setCode(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          return torch.batch_norm(x, self.weight, self.bias, self.running_mean, self.running_var, %s, %s, %s, True)
                        """
                                .formatted(
                                        fixedStatistics ? "False" : "self.training",
                                        Ops.BATCH_NORM_MOMENTUM,
                                        Ops.BATCH_NORM_EPS))
                .build();
    }
}
