package org.slotwise.autoencoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.EquationBlock;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.weights.DiffusionLayouts;

/** Values and gradients beside the originals': {@code resources/autoencoder}. */
@ExtendWith(OnDevice.class)
class AutoencoderReferenceTest {

    private static ReferenceCase only(String kind) {
        return ReferenceCase.of("autoencoder", kind).findFirst().orElseThrow();
    }

    @Test
    void posterior(NDManager manager) {
        EquationBlock block = new EquationBlock(p -> (pass, in) -> new NDList(in.head()));
        AgainstReference.check(
                manager,
                only("DiagonalGaussianDistribution"),
                block,
                (store, in) -> {
                    LatentDistribution found = LatentDistribution.of(in.get("moments"));
                    NDArray v = found.logVariance();
                    if (v == null) {
                        throw new AssertionError("no log variance");
                    }
                    NDArray z = found.sample(in.get("noise"));
                    return Map.of(
                            "mean", found.mean(),
                            "logvar", v,
                            "std", found.deviation(),
                            "sample", z,
                            "kl", found.kl(),
                            "nll", found.negativeLogLikelihood(z.stopGradient()));
                });
    }

    /** The sizes that a case of diffusers was made with. */
    private static AutoencoderSizes sizes(
            ReferenceCase reference, int groups, List<Integer> widths) {
        return new AutoencoderSizes(3, 4, widths, reference.integer("layers_per_block"), groups, 1);
    }

    @Test
    void autoencoderKl(NDManager manager) {
        ReferenceCase reference = only("AutoencoderKL");
        AutoencoderKl block = new AutoencoderKl(sizes(reference, 4, List.of(8, 12)));
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) -> {
                    LatentDistribution found = block.encode(store, in.get("image"), true);
                    NDArray v = found.logVariance();
                    if (v == null) {
                        throw new AssertionError("no log variance");
                    }
                    NDArray z = found.sample(in.get("noise"));
                    return Map.of(
                            "mean", found.mean(),
                            "logvar", v,
                            "sample", z,
                            "kl", found.kl(),
                            "decoded", block.decode(store, z, true));
                });
    }

    @Test
    void vqAutoencoder(NDManager manager) {
        ReferenceCase reference = only("VQVAE");
        VqAutoencoder block =
                new VqAutoencoder(new AutoencoderSizes(3, 3, List.of(8, 16), 1, 4, 1), 16);
        AgainstReference.check(
                manager,
                reference.converted(DiffusionLayouts.compVisAutoencoder(2)),
                block,
                (store, in) -> {
                    NDArray z = block.encode(store, in.get("image"), true).mean();
                    QuantizedLatents found = block.quantize(store, z, true);
                    return Map.of(
                            "encoded", z,
                            "quantized", found.latents(),
                            "quant_loss", found.loss(),
                            "index", found.codes(),
                            "decoded", block.decodeQuantized(store, found.latents(), true));
                });
    }
}
