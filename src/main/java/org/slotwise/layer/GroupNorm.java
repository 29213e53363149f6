package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.FusedOps;
import org.slotwise.internal.Limits;
import org.slotwise.internal.NormedOps;
import org.slotwise.internal.Pass;
import org.slotwise.internal.ScriptedOps;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * Group normalisation, as PyTorch's {@code nn.GroupNorm}. With one group it normalises an image as
 * a whole, with as many as channels it is instance normalisation.
 *
 * <p>Source: Wu and He, "Group Normalization" (2018).
 *
 * <pre>{@code
 * y = (x - mean x) / sqrt(var x + eps) * g + o
 * }</pre>
 *
 * <p>mean and biased variance are over a group's channels and all places of an image; g is {@code
 * weight}, o is {@code bias}, one number for each channel. x and y are (B, C, ...).
 */
public final class GroupNorm implements Layer, Scriptable {

    /** What PyTorch adds to the variance, if not told otherwise. */
    public static final double EPS = 1e-5;

    private final int groups;
    private final double eps;
    private final long channels;
    private final Parameter gain;
    private final Parameter offset;

    private GroupNorm(int groups, double eps, long channels, Parameter gain, Parameter offset) {
        this.groups = groups;
        this.eps = eps;
        this.channels = channels;
        this.gain = gain;
        this.offset = offset;
    }

    /**
     * A normalisation with PyTorch's eps of 1e-5.
     *
     * @param parameters declares under the layer's name
     * @param groups how many groups
     * @param channels C, a multiple of the groups
     * @return the layer
     * @throws IllegalArgumentException if the channels are no multiple of the groups
     */
    public static GroupNorm of(Declarer parameters, int groups, long channels) {
        return of(parameters, groups, channels, EPS);
    }

    /**
     * A normalisation with another eps.
     *
     * @param parameters declares under the layer's name
     * @param groups how many groups, at least 1
     * @param channels C, a multiple of the groups
     * @param eps what is added to the variance, above 0
     * @return the layer
     * @throws IllegalArgumentException if the channels are no multiple of the groups, or eps is out
     *     of range
     */
    public static GroupNorm of(Declarer parameters, int groups, long channels, double eps) {
        String who = "GroupNorm";
        Check.atLeast(who, "groups", groups, 1);
        Check.option(
                channels > 0 && channels % groups == 0,
                who + ": channels must be a multiple of " + groups + ", got " + channels);
        Limits.normEps(who, "eps", eps);
        return new GroupNorm(
                groups,
                eps,
                channels,
                parameters.gain("weight", channels),
                parameters.offset("bias", channels));
    }

    /** {@inheritDoc} */
    @Override
    public NDArray apply(Pass pass, NDArray x) {
        check(x);
        return ScriptedOps.groupNorm(x, groups, pass.value(gain), pass.value(offset), eps);
    }

    /**
     * Normalises, and takes y times the logistic function of y, in one call of the engine.
     *
     * @param pass the call of the block
     * @param x (B, C, ...)
     * @return silu(y)
     */
    public NDArray activated(Pass pass, NDArray x) {
        check(x);
        return FusedOps.groupNormSilu(x, groups, pass.value(gain), pass.value(offset), eps);
    }

    /**
     * Normalises what a CELU of alpha 1 makes of maps whose channels have become places, in one
     * call of the engine.
     *
     * @param pass the call of the block
     * @param x maps (B, r² C, H, W) that nothing else needs: they may be overwritten
     * @param shuffle how channels become places; null where they stay
     * @return (B, C, r H, r W)
     */
    NDArray ofActivated(Pass pass, NDArray x, @Nullable PixelShuffle shuffle) {
        int factor = shuffle == null ? 1 : shuffle.factor();
        check(x, channels * factor * factor);
        return NormedOps.celuGroupNorm(
                x, factor, groups, pass.value(gain), pass.value(offset), eps);
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        return ScriptModule.builder("GroupNorm")
                .parameter("weight", gain)
                .parameter("bias", offset)
                .setCode(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          return torch.group_norm(x, %s, self.weight, self.bias, %s, True)
                        """
                                .formatted(groups, eps))
                .build();
    }

    private void check(NDArray x) {
        check(x, channels);
    }

    private static void check(NDArray x, long channels) {
        Check.present("GroupNorm", "input", x);
        Shape shape = x.getShape();
        Check.option(
                shape.dimension() > 1 && shape.get(1) == channels && shape.size() > 0,
                "GroupNorm: input must be (B, " + channels + ", ...), got " + shape);
    }
}
