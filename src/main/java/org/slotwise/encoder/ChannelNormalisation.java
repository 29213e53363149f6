package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import java.util.Arrays;
import org.slotwise.internal.Check;
import org.slotwise.internal.Options;
import org.slotwise.internal.Scalars;

/**
 * How images are normalised before a network sees them.
 *
 * <pre>{@code
 * x = (images - mean) / std                        for each channel
 * }</pre>
 */
final class ChannelNormalisation {

    /** That of networks trained on ImageNet. */
    static final ChannelNormalisation IMAGENET =
            new ChannelNormalisation(
                    new double[] {0.485, 0.456, 0.406}, new double[] {0.229, 0.224, 0.225});

    private final double[] mean;
    private final double[] std;

    ChannelNormalisation(double[] mean, double[] std) {
        this.mean = mean.clone();
        this.std = std.clone();
    }

    /** Requires three finite numbers of each, deviations above 0. */
    void check(String who) {
        check(who, "mean", mean, false);
        check(who, "std", std, true);
    }

    private static void check(String who, String what, double[] values, boolean aboveZero) {
        boolean fits = values.length == FeatureMap.CHANNELS;
        for (double value : values) {
            fits &= Double.isFinite(value) && (!aboveZero || value > 0);
        }
        Check.option(
                fits,
                who
                        + ": "
                        + what
                        + " must be 3 numbers"
                        + (aboveZero ? " above 0" : "")
                        + ", got "
                        + Arrays.toString(values));
    }

    /** Normalises images (B, 3, H, W). */
    NDArray apply(NDArray images) {
        return images.sub(channels(images, mean)).div(channels(images, std));
    }

    /** A number for each channel, (1, 3, 1, 1), filled in on the device. */
    private static NDArray channels(NDArray images, double[] values) {
        NDList each = new NDList(values.length);
        for (double value : values) {
            each.add(Scalars.like(images, value));
        }
        return NDArrays.stack(each).reshape(1, FeatureMap.CHANNELS, 1, 1);
    }

    /** The options with these numbers among them. */
    Options among(Options options) {
        return options.and("mean", Arrays.toString(mean)).and("std", Arrays.toString(std));
    }
}
