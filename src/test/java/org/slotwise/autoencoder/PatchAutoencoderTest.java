package org.slotwise.autoencoder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.training.ParameterStore;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class PatchAutoencoderTest {

    private static final int PATCH = 2;
    private static final int CHANNELS = 16;

    private final Map<String, NDArray> weights = new TreeMap<>();

    /** Written once more, plainly, with the parameters by their names. */
    @Test
    void bothWays(NDManager manager) {
        PatchAutoencoder block = new PatchAutoencoder(PATCH, 3, CHANNELS, 2, 1);
        block.initialize(manager, DataType.FLOAT64, new Shape(2, 3, 6, 4));
        block.getParameters().forEach(p -> weights.put(p.getKey(), p.getValue().getArray()));
        assertEquals(2 * (4 + 2 * 8 + 2), weights.size());
        // Gains of norms start at 1 and offsets at 0, which would hide one left out.
        NDArray tenth = manager.create(0.1);
        weights.forEach(
                (name, w) -> {
                    long[] shape = w.getShape().getShape();
                    w.addi(uniform(manager, name.hashCode(), shape).mul(tenth));
                });
        ParameterStore store = new ParameterStore(manager, false);
        NDArray x = uniform(manager, 1, 2, 3, 6, 4);

        LatentDistribution found = block.encode(store, x, false);
        NDArray patches =
                x.reshape(2, 3, 3, PATCH, 2, PATCH)
                        .transpose(0, 1, 3, 5, 2, 4)
                        .reshape(2, 12, 3, 2);
        NDArray moments = way("encoder", patches, 0);
        assertClose("mean", moments.get(":, :3"), found.mean(), 1e-12);
        assertClose("log variance", moments.get(":, 3:"), found.logVariance(), 1e-12);

        NDArray z = Tensors.normal(manager, 2, DataType.FLOAT64, 2, 3, 3, 2);
        NDArray pixels =
                way("decoder", z, 1)
                        .reshape(2, 3, PATCH, PATCH, 3, 2)
                        .transpose(0, 1, 4, 2, 5, 3)
                        .reshape(2, 3, 6, 4);
        assertClose("images", pixels, block.decode(store, z, false), 1e-12);
    }

    private static NDArray uniform(NDManager manager, long seed, long... shape) {
        return Tensors.uniform(manager, seed, DataType.FLOAT64, shape);
    }

    private NDArray way(String side, NDArray x, int padding) {
        NDArray h = convolved(side + ".conv_in", x, 1);
        for (int i = 0; i < 2; i++) {
            String name = side + ".resnets." + i + ".";
            NDArray inner = convolved(name + "conv1", silu(normed(name + "norm1", h)), 1);
            inner = convolved(name + "conv2", silu(normed(name + "norm2", inner)), 1);
            h = h.add(inner);
        }
        return convolved(side + ".conv_out", silu(normed(side + ".conv_norm_out", h)), padding);
    }

    private NDArray weight(String name) {
        NDArray found = weights.get(name);
        if (found == null) {
            throw new AssertionError(name + " is not among " + weights.keySet());
        }
        return found;
    }

    private NDArray convolved(String name, NDArray x, int padding) {
        return Conv2d.conv2d(
                        x,
                        weight(name + ".weight"),
                        weight(name + ".bias"),
                        new Shape(1, 1),
                        new Shape(padding, padding))
                .singletonOrThrow();
    }

    /** Eight groups, each with a mean and a variance of its own. */
    private NDArray normed(String name, NDArray x) {
        Shape s = x.getShape();
        NDArray grouped = x.reshape(s.get(0), 8, -1);
        NDArray centred = grouped.sub(grouped.mean(new int[] {2}, true));
        NDArray variance = centred.square().mean(new int[] {2}, true);
        NDArray y = centred.div(variance.add(1e-6).sqrt()).reshape(s);
        return y.mul(weight(name + ".weight").reshape(1, CHANNELS, 1, 1))
                .add(weight(name + ".bias").reshape(1, CHANNELS, 1, 1));
    }

    private static NDArray silu(NDArray x) {
        return x.mul(Activation.sigmoid(x));
    }

    @Test
    void errors() {
        assertRefused(
                "PatchAutoencoder: channels must be a multiple of 8, got 12",
                () -> new PatchAutoencoder(4, 3, 12, 2, 1));
        assertRefused(
                "PatchAutoencoder: channels must be at least 8, got 4",
                () -> new PatchAutoencoder(4, 3, 4, 2, 1));
        assertRefused(
                "PatchAutoencoder: blocks must be at least 1, got 0",
                () -> new PatchAutoencoder(4, 3, 8, 0, 1));
        assertRefused(
                "PatchLatents: patch must be at least 1, got 0",
                () -> new PatchAutoencoder(0, 3, 8, 1, 1));
    }
}
