package org.slotwise.autoencoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.EquationBlock;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

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
}
