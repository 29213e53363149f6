package org.slotwise.unet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.doubles;
import static org.slotwise.testing.Tensors.largest;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.layer.LeanAttention;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.EquationBlock;
import org.slotwise.testing.Garbage;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

/** How places attend to slots: beside others' code, and what is promised of it. */
@ExtendWith(OnDevice.class)
class CrossAttentionTest {

    private static Map<String, NDArray> expected(NDManager manager) throws IOException {
        Map<String, NDArray> all = new HashMap<>();
        try (InputStream in =
                CrossAttentionTest.class.getResourceAsStream("/unet/cross_attention.npz")) {
            NDList.decode(manager, in).forEach(array -> all.put(array.getName(), array));
        }
        return all;
    }

    /** diffusers' network, whose attention was watched. */
    @Test
    void asDiffusersHasIt(NDManager manager) throws IOException {
        ReferenceCase reference =
                UNetReferenceTest.named("UNet2DConditionModel", "unet_three_levels");
        Map<String, NDArray> arrays = reference.arrays(manager);
        UNet unet = new UNet(UNetReferenceTest.sizes(reference));
        AgainstReference.load(manager, unet, DataType.FLOAT32, arrays);
        NDList maps =
                unet.crossAttention(
                        new ParameterStore(manager, false),
                        arrays.get("in/x"),
                        arrays.get("in/t"),
                        arrays.get("in/slots"));
        Map<String, NDArray> expected = expected(manager);
        assertEquals(11, maps.size());
        for (int i = 0; i < maps.size(); i++) {
            boolean middle = i >= 2 && i < 8;
            int side = middle ? 2 : 4;
            assertEquals(new Shape(2, 3, side, side), maps.get(i).getShape());
            NDArray flat = expected.get("unet_three_levels/" + i);
            assertClose("layer " + i, flat.reshape(maps.get(i).getShape()), maps.get(i), 1e-5);
        }
    }

    /** PyTorch's {@code nn.MultiheadAttention}, which gives its weights. */
    @Test
    void asPyTorchHasIt(NDManager manager) throws IOException {
        ReferenceCase reference =
                UNetReferenceTest.named("seed TransformerBlock", "seed_transformer_block");
        Map<String, NDArray> arrays = reference.arrays(manager);
        EquationBlock block =
                new EquationBlock(
                        p -> {
                            BranchNormTransformer transformer =
                                    BranchNormTransformer.of(
                                            p,
                                            reference.integer("in_channel"),
                                            reference.integer("dim_slot"),
                                            reference.integer("dim_head"),
                                            reference.integer("num_repeat"));
                            return (pass, in) -> {
                                NDArray x = in.get(0);
                                CrossAttentionMaps maps = new CrossAttentionMaps(x.getShape());
                                transformer.apply(pass, x, x, Told.of(in.get(1), maps));
                                return maps.all();
                            };
                        });
        AgainstReference.load(manager, block, DataType.FLOAT32, arrays);
        NDArray x = arrays.get("in/x");
        NDList maps =
                block.forward(
                        new ParameterStore(manager, false),
                        new NDList(x, arrays.get("in/slots")),
                        false);
        assertEquals(2, maps.size());
        for (int i = 0; i < 2; i++) {
            NDArray flat = expected(manager).get("seed_transformer_block/" + i);
            Shape size = new Shape(2, flat.size(1), x.size(2), x.size(3));
            assertClose("repeat " + i, flat.reshape(size), maps.get(i), 1e-5);
        }
    }

    /** Beside loops over numbers. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 6})
    void weightsOneByOne(int heads, NDManager manager) {
        NDArray queries = normal(manager, 1, DataType.FLOAT64, 2, 5, 6);
        NDArray keys = normal(manager, 2, DataType.FLOAT64, 2, 3, 6);
        double[] q = doubles(queries);
        double[] k = doubles(keys);
        double[] mean = new double[2 * 3 * 5];
        int size = 6 / heads;
        for (int b = 0; b < 2; b++) {
            for (int n = 0; n < 5; n++) {
                for (int h = 0; h < heads; h++) {
                    double[] e = new double[3];
                    double sum = 0;
                    for (int m = 0; m < 3; m++) {
                        for (int c = h * size; c < (h + 1) * size; c++) {
                            e[m] += q[(b * 5 + n) * 6 + c] * k[(b * 3 + m) * 6 + c];
                        }
                        e[m] = Math.exp(e[m] / Math.sqrt(size));
                        sum += e[m];
                    }
                    for (int m = 0; m < 3; m++) {
                        mean[(b * 3 + m) * 5 + n] += e[m] / sum / heads;
                    }
                }
            }
        }
        NDArray expected = manager.create(mean, new Shape(2, 3, 5));
        assertClose("weights", expected, LeanAttention.weights(queries, keys, heads), 1e-12);
        assertRefused(
                "LeanAttention: D must be a multiple of heads, got 6 and 4",
                () -> LeanAttention.weights(queries, keys, 4));
        assertRefused(
                "LeanAttention: keys must be (2, M, 6), got (2, 3, 5)",
                () -> LeanAttention.weights(queries, keys.get(":, :, :5"), heads));
    }

    private static Denoiser denoiser(NDManager manager, String kind, DataType type) {
        Denoiser made =
                kind.equals("branch norm")
                        ? new BranchNormUNet(new BranchNormConfiguration(2, 4, 8, 5, 4, 2, 0))
                        : new UNet(
                                UNetConfiguration.builder()
                                        .setChannels(2, 3)
                                        .setWidths(4, 8)
                                        .setTransformer(
                                                TransformerOptions.of(5, Heads.size(2))
                                                        .withDepth(2)
                                                        .withPositions(
                                                                kind.equals("placed") ? 8 : 0))
                                        .optGroups(2)
                                        .build());
        manager.getEngine().setRandomSeed(5);
        made.initialize(manager, type, new Shape(2, 2, 8, 8));
        return made;
    }

    private static NDList inputs(NDManager m, DataType type) {
        return new NDList(
                normal(m, 1, type, 2, 2, 8, 8),
                m.create(new long[] {3, 900}),
                normal(m, 2, type, 2, 3, 5));
    }

    private static NDList attended(NDManager manager, Denoiser block, NDList in) {
        return block.crossAttention(
                new ParameterStore(manager, false), in.get(0), in.get(1), in.get(2));
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "placed", "branch norm"})
    void isOfEachSlotAndPicture(String kind, NDManager manager) {
        Denoiser block = denoiser(manager, kind, DataType.FLOAT32);
        NDList in = inputs(manager, DataType.FLOAT32);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray before = block.predict(store, in.get(0), in.get(1), in.get(2), false);
        NDList maps = attended(manager, block, in);
        // Two blocks each: two levels, the middle, two stages of two levels on the way up.
        assertEquals(kind.equals("branch norm") ? 32 : 14, maps.size());
        NDArray turned = in.get(2).get(":, 1:").concat(in.get(2).get(":, 0:1"), 1);
        NDList others = attended(manager, block, new NDList(in.get(0), in.get(1), turned));
        NDList first = new NDList(in.stream().map(a -> a.get("0:1")).toArray(NDArray[]::new));
        NDList alone = attended(manager, block, first);
        NDList one =
                attended(manager, block, new NDList(in.get(0), in.get(1), turned.get(":, 2:")));
        for (int i = 0; i < maps.size(); i++) {
            NDArray map = maps.get(i);
            assertClose("sum", map.sum(new int[] {1}).onesLike(), map.sum(new int[] {1}), 1e-6);
            NDArray back = others.get(i).get(":, 2:").concat(others.get(i).get(":, :2"), 1);
            assertClose("order of slots", map, back, 1e-5);
            assertClose("alone", map.get("0:1"), alone.get(i), 1e-5);
            assertClose("one slot", one.get(i).onesLike(), one.get(i), 1e-6);
            assertFalse(map.hasGradient());
        }
        assertSame(
                "prediction", before, block.predict(store, in.get(0), in.get(1), in.get(2), false));
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "branch norm"})
    void leavesNothingAndOutlivesGarbage(String kind, NDManager manager) throws Exception {
        Denoiser block = denoiser(manager, kind, DataType.FLOAT64);
        NDList in = inputs(manager, DataType.FLOAT64);
        attended(manager, block, in).close(); // what is kept for good is made now
        int before = manager.getManagedArrays().size();
        NDList maps = attended(manager, block, in);
        assertEquals(before + maps.size(), manager.getManagedArrays().size());
        maps.forEach(map -> assertEquals(manager, map.getManager()));
        double[][] values = new double[maps.size()][];
        for (int i = 0; i < values.length; i++) {
            values[i] = doubles(maps.get(i));
        }
        Garbage.collect();
        // In a thread of its own, where the engine would record a graph.
        NDList again = CompletableFuture.supplyAsync(() -> attended(manager, block, in)).get();
        for (int i = 0; i < values.length; i++) {
            NDArray expected = manager.create(values[i], maps.get(i).getShape());
            assertSame("after garbage", expected, maps.get(i));
            assertClose("again", expected, again.get(i), 1e-12);
        }
        int held = manager.getManagedArrays().size();
        NDArray fewer = in.get(2).get(":, :, :4");
        assertThrows(
                IllegalArgumentException.class,
                () -> attended(manager, block, new NDList(in.get(0), in.get(1), fewer)));
        assertEquals(held + 1, manager.getManagedArrays().size());
    }

    @Test
    void worksInFloat16(NDManager manager) {
        Denoiser block = denoiser(manager, "plain", DataType.FLOAT16);
        for (NDArray map : attended(manager, block, inputs(manager, DataType.FLOAT16))) {
            NDArray sums = map.toType(DataType.FLOAT32, false).sum(new int[] {1});
            assertEquals(0, largest(sums.sub(sums.onesLike())), 5e-3);
        }
    }

    /** A denoiser that gives a prediction alone. */
    private static final class Silent extends AbstractBlock implements Denoiser {

        @Override
        public NDArray predict(
                ParameterStore store,
                NDArray latents,
                NDArray timesteps,
                NDArray slots,
                boolean training) {
            return latents;
        }

        @Override
        protected NDList forwardInternal(
                ParameterStore store,
                NDList inputs,
                boolean training,
                PairList<String, Object> params) {
            return new NDList(inputs.head());
        }

        @Override
        public Shape[] getOutputShapes(Shape[] shapes) {
            return new Shape[] {shapes[0]};
        }
    }

    @Test
    void othersNeedNotTell(NDManager manager) {
        NDList in = inputs(manager, DataType.FLOAT32);
        String message =
                assertThrows(
                                UnsupportedOperationException.class,
                                () -> attended(manager, new Silent(), in))
                        .getMessage();
        assertEquals("Silent: it does not tell how places attend to slots", message);
    }
}
