package org.slotwise.autoencoder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** What every block promises, of autoencoders; what latents are, and errors. */
@ExtendWith(OnDevice.class)
class AutoencoderContractTest {

    private static NDList withNoise(NDManager m, DataType type, long channels) {
        NDArray noise = Tensors.normal(m, 2, type, 2, channels, 2, 3);
        noise.setName("noise");
        return new NDList(Tensors.uniform(m, 1, type, 2, 3, 8, 12), noise);
    }

    @Test
    void small(NDManager manager) {
        new BlockContract(
                        () -> new PatchAutoencoder(4, 3, 8, 2, 1),
                        (m, type) -> withNoise(m, type, 3))
                .check(manager);
    }

    private static final AutoencoderSizes SIZES =
            new AutoencoderSizes(3, 2, List.of(4, 4, 8), 1, 2, 1);

    @Test
    void normal(NDManager manager) {
        new BlockContract(() -> new AutoencoderKl(SIZES), (m, type) -> withNoise(m, type, 2))
                .check(manager);
    }

    /** Its gradient is not that of what it computes: codes are jumped over. */
    @Test
    void quantised(NDManager manager) {
        BlockContract contract =
                new BlockContract(
                        () -> new VqAutoencoder(SIZES, 5),
                        (m, type) -> new NDList(Tensors.uniform(m, 1, type, 2, 3, 8, 12)));
        contract.leavesNothingButOutputs(manager);
        contract.recordsNoGraphInInference(manager);
        contract.isTheSameAfterSaveAndLoad(manager);
        contract.isTheSameThroughAStateDict(manager);
    }

    private static QuantizedLatents assertNearest(
            VqAutoencoder block, ParameterStore store, NDArray z) {
        QuantizedLatents found = block.quantize(store, z, false);
        double[][] codes = new double[5][2];
        NDArray table = block.getParameters().get("quantize.embedding.weight").getArray();
        for (int k = 0; k < 5; k++) {
            codes[k] = Tensors.doubles(table.get(k));
        }
        for (long b = 0; b < 2; b++) {
            for (long i = 0; i < 2; i++) {
                for (long j = 0; j < 3; j++) {
                    int nearest = 0;
                    double least = Double.MAX_VALUE;
                    for (int k = 0; k < 5; k++) {
                        double x = z.getFloat(b, 0, i, j) - codes[k][0];
                        double y = z.getFloat(b, 1, i, j) - codes[k][1];
                        if (x * x + y * y < least) {
                            least = x * x + y * y;
                            nearest = k;
                        }
                    }
                    assertEquals(nearest, found.codes().getLong(b, i, j));
                    assertEquals(codes[nearest][0], found.latents().getFloat(b, 0, i, j), 1e-6);
                }
            }
        }
        return found;
    }

    /** Far from 0, where squares have no digits left for how near a code is. */
    @Test
    void codesFarFromZeroAreTheNearest(NDManager manager) {
        VqAutoencoder block = new VqAutoencoder(SIZES, 5);
        block.initialize(manager, DataType.FLOAT32, new Shape(2, 3, 8, 12));
        block.getParameters().get("quantize.embedding.weight").getArray().addi(4096);
        NDArray z = Tensors.uniform(manager, 4, DataType.FLOAT32, 2, 2, 2, 3).sub(0.5).div(2.5);
        ParameterStore store = new ParameterStore(manager, false);
        assertNearest(block, store, z.add(4096));
        NDArray codes = block.getParameters().get("quantize.embedding.weight").getArray();
        codes.subi(4096).set(new NDIndex("3, 1"), 1e6); // one stray code
        assertNearest(block, store, z);
    }

    @Test
    void codesAreTheNearest(NDManager manager) {
        VqAutoencoder block = new VqAutoencoder(SIZES, 5);
        block.initialize(manager, DataType.FLOAT32, new Shape(2, 3, 8, 12));
        ParameterStore store = new ParameterStore(manager, false);
        NDArray z = Tensors.uniform(manager, 4, DataType.FLOAT32, 2, 2, 2, 3).sub(0.5).div(2.5);
        QuantizedLatents found = assertNearest(block, store, z);
        Tensors.assertClose(
                "decoding quantises",
                block.decodeQuantized(store, found.latents(), false),
                block.decode(store, z, false),
                1e-6);
        Tensors.assertClose(
                "once is enough",
                found.latents(),
                block.quantize(store, found.latents(), false).latents(),
                1e-6);
    }

    @Test
    void patches(NDManager manager) {
        BlockContract contract =
                new BlockContract(
                        () -> new PatchLatents(3, 4),
                        (m, type) -> new NDList(Tensors.uniform(m, 1, type, 2, 3, 8, 12)));
        contract.gradientsAgreeWithFiniteDifferences(manager);
        contract.recordsNoGraphInInference(manager);
        contract.isTheSameAfterSaveAndLoad(manager);
        contract.worksInFloat16(manager);
    }

    @Test
    void patchesAreThoseOfTheImage(NDManager manager) {
        ParameterStore store = new ParameterStore(manager, false);
        for (int patch : new int[] {1, 2, 4}) {
            PatchLatents patches = new PatchLatents(3, patch);
            patches.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 8, 12));
            NDArray x = Tensors.normal(manager, 1, 2, 3, 8, 12);
            LatentDistribution found = patches.encode(store, x, false);
            assertNull(found.logVariance());
            NDArray z = found.mean();
            assertEquals(new Shape(2, 3L * patch * patch, 8 / patch, 12 / patch), z.getShape());
            assertSame(z, found.sample());
            // Channel 1, row 1, column 0 of a patch.
            if (patch > 1) {
                int channel = patch * patch + patch;
                assertEquals(
                        x.getFloat(0, 1, patch + 1, 0), z.getFloat(0, channel, 1, 0), 0, "place");
            }
            Tensors.assertSame("again", x, patches.decode(store, z, false));
        }
    }

    @Test
    void aSampleIsMadeOfNoise(NDManager manager) {
        PatchAutoencoder block = new PatchAutoencoder(4, 3, 8, 2, 2.25);
        block.initialize(manager, DataType.FLOAT32, new Shape(2, 3, 8, 12));
        ParameterStore store = new ParameterStore(manager, false);
        NDArray x = Tensors.uniform(manager, 1, DataType.FLOAT32, 2, 3, 8, 12);
        LatentDistribution found = block.encode(store, x, false);
        NDArray zero = manager.zeros(found.mean().getShape());
        Tensors.assertSame("no noise", found.mean(), found.sample(zero));
        manager.getEngine().setRandomSeed(3);
        NDArray drawn = found.sample();
        assertNotEquals(0, drawn.sub(found.mean()).abs().max().getFloat());
        NDArray n = drawn.sub(found.mean()).div(found.deviation());
        assertClose("noise", drawn, found.sample(n), 1e-5);
        assertTrue(found.kl().min().getFloat() >= 0);
        assertEquals(2.25, block.scale());
        assertEquals(4, block.factor());
        assertEquals(3, block.latentChannels());
    }

    @Test
    void errors(NDManager manager) {
        PatchAutoencoder block = new PatchAutoencoder(4, 3, 8, 2, 1);
        block.initialize(manager, DataType.FLOAT32, new Shape(2, 3, 8, 12));
        ParameterStore store = new ParameterStore(manager, false);
        assertRefused(
                "PatchAutoencoder: height and width of images must be multiples of 4, got"
                        + " (2, 3, 8, 10)",
                () -> block.encode(store, manager.ones(new Shape(2, 3, 8, 10)), false));
        assertRefused(
                "PatchAutoencoder: latents must be (B, 3, h, w), got (2, 4, 2, 2)",
                () -> block.decode(store, manager.ones(new Shape(2, 4, 2, 2)), false));
        assertRefused(
                "PatchAutoencoder: scale must be above 0 and finite, got 0.0",
                () -> new PatchAutoencoder(4, 3, 8, 2, 0));
        LatentDistribution known =
                new LatentDistribution(manager.ones(new Shape(1, 2, 2, 2)), null);
        assertRefused(
                "LatentDistribution: kl needs a log variance, which known latents have not",
                known::kl);
        assertRefused(
                "LatentDistribution: noise must be (1, 2, 2, 2), got (1, 2, 2, 1)",
                () -> known.sample(manager.ones(new Shape(1, 2, 2, 1))));
        assertRefused(
                "LatentDistribution: channels of moments must be even, got 3",
                () -> LatentDistribution.of(manager.ones(new Shape(1, 3, 2, 2))));
    }
}
