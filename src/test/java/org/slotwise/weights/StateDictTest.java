package org.slotwise.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Options;
import org.slotwise.layer.FeedForward;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.Garbage;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;

/** Names of parameters, and loading them into blocks. Files are {@link StateDictFileTest}'s. */
@ExtendWith(OnDevice.class)
class StateDictTest {

    /** As the torch module in make_fixtures.py. */
    static SequentialBlock sequential() {
        return new SequentialBlock()
                .add(Linear.builder().setUnits(8).build())
                .add(LayerNorm.builder().build())
                .add(Activation.reluBlock())
                .add(Linear.builder().setUnits(6).optBias(false).build())
                .add(BatchNorm.builder().build());
    }

    private static FeedForward feedForward(NDManager manager, DataType type) {
        FeedForward block = new FeedForward(3, 4);
        block.initialize(manager, type, new Shape(-1));
        return block;
    }

    private static Map<String, NDArray> copies(Block block) {
        Map<String, NDArray> copies = new LinkedHashMap<>();
        StateDict.of(block).arrays().forEach((name, a) -> copies.put(name, a.duplicate()));
        return copies;
    }

    static List<String> kinds() {
        return ReferenceBlocks.KINDS;
    }

    /** The names are those that the reference wrote, for every module that exists here. */
    @ParameterizedTest
    @MethodSource("kinds")
    void namesAreTheReferences(String kind, NDManager manager) {
        ReferenceCase.of(kind)
                .forEach(
                        reference -> {
                            Block block = ReferenceBlocks.build(kind, reference);
                            Map<String, NDArray> given =
                                    ReferenceCase.under("param/", reference.arrays(manager));
                            DataType type = given.values().iterator().next().getDataType();
                            block.initialize(manager, type, new Shape(-1));
                            StateDict own = StateDict.of(block);
                            assertEquals(
                                    new TreeSet<>(given.keySet()),
                                    new TreeSet<>(own.names()),
                                    reference.toString());
                            StateDict.of(given).loadInto(block);
                            given.forEach((name, v) -> assertSame(name, v, own.get(name)));
                        });
    }

    @Test
    void childrenOfDjlsListsAreNumbered(NDManager manager) {
        SequentialBlock block =
                sequential()
                        .add(
                                new ParallelBlock(lists -> lists.get(0))
                                        .addAll(new FeedForward(6, 2), new FeedForward(6, 3)));
        block.initialize(manager, DataType.FLOAT32, new Shape(5, 4));
        List<String> names = new ArrayList<>(StateDict.of(block).names());
        assertEquals(
                List.of(
                        "0.weight",
                        "0.bias",
                        "1.weight",
                        "1.bias",
                        "3.weight",
                        "4.weight",
                        "4.bias",
                        "4.running_mean",
                        "4.running_var",
                        "5.0.module.0.weight"),
                names.subList(0, 10));
        assertEquals("5.1.module.3.bias", names.get(names.size() - 1));
    }

    /** More than 99 children: DJL's number then has three digits. */
    @Test
    void namesAreFreeOfDjlsNumbers(NDManager manager) {
        Many block = new Many();
        for (int i = 0; i < 101; i++) {
            block.add("7up", new FeedForward(1, 1));
        }
        String message =
                assertThrows(IllegalArgumentException.class, () -> StateDict.of(block))
                        .getMessage();
        assertEquals("StateDict: two parameters of Many are named 7up.module.0.weight", message);
        Many one = new Many();
        for (int i = 0; i < 101; i++) {
            one.add("child" + i, new FeedForward(1, 1));
        }
        one.initialize(manager, DataType.FLOAT32, new Shape(-1));
        assertTrue(StateDict.of(one).names().contains("child0.module.0.weight"));
        assertTrue(StateDict.of(one).names().contains("child100.module.0.weight"));
    }

    /** A block with any number of children. */
    private static final class Many extends ConfiguredBlock {
        void add(String name, Block block) {
            addChildBlock(name, block);
        }

        @Override
        protected Options configuration() {
            return Options.none();
        }

        @Override
        protected NDList outputs(ParameterStore store, NDList in, boolean training) {
            return in;
        }

        @Override
        protected Shape[] outputShapes(Shape[] shapes) {
            return shapes;
        }
    }

    @Test
    void isAViewOfTheBlock(NDManager manager) {
        FeedForward block = feedForward(manager, DataType.FLOAT32);
        try (StateDict dict = StateDict.of(block)) {
            NDArray bias = dict.get("module.3.bias");
            assertTrue(bias == block.getDirectParameters().get("module.3.bias").getArray());
            assertThrows(UnsupportedOperationException.class, () -> dict.arrays().clear());
        }
        assertFalse(block.getDirectParameters().get("module.3.bias").getArray().isReleased());
    }

    @Test
    void mustBeInitialised(NDManager manager) {
        FeedForward block = new FeedForward(3, 4);
        String message =
                "StateDict: initialize FeedForward first; these parameters have no values yet:"
                        + " module.0.weight, module.0.bias, module.1.weight, module.1.bias,"
                        + " module.3.weight, module.3.bias";
        assertEquals(
                message,
                assertThrows(IllegalStateException.class, () -> StateDict.of(block)).getMessage());
        StateDict given = StateDict.of(feedForward(manager, DataType.FLOAT32));
        assertEquals(
                message,
                assertThrows(IllegalStateException.class, () -> given.loadInto(block))
                        .getMessage());
    }

    @Test
    void convertsBetweenFloatingTypes(NDManager manager) {
        DataType[] types = {DataType.FLOAT64, DataType.FLOAT32, DataType.FLOAT16};
        for (DataType from : types) {
            for (DataType to : types) {
                FeedForward source = feedForward(manager, from);
                FeedForward target = feedForward(manager, to);
                StateDict.of(source).loadInto(target);
                StateDict loaded = StateDict.of(target);
                StateDict.of(source)
                        .arrays()
                        .forEach(
                                (name, a) ->
                                        assertSame(name, a.toType(to, true), loaded.get(name)));
            }
        }
    }

    @Test
    void whatIsTooLargeForTheTypeBecomesInfinite(NDManager manager) {
        FeedForward half = feedForward(manager, DataType.FLOAT16);
        Map<String, NDArray> values = copies(feedForward(manager, DataType.FLOAT64));
        values.put("module.3.bias", manager.create(new double[] {1e6, -1e6, Double.NaN}));
        StateDict.of(values).loadInto(half);
        NDArray bias = StateDict.of(half).get("module.3.bias").toType(DataType.FLOAT64, true);
        assertEquals(Double.POSITIVE_INFINITY, bias.getDouble(0));
        assertEquals(Double.NEGATIVE_INFINITY, bias.getDouble(1));
        assertTrue(Double.isNaN(bias.getDouble(2)));
    }

    /** NaN in the block is no obstacle. */
    @Test
    void replacesWhateverWasThere(NDManager manager) {
        FeedForward block = feedForward(manager, DataType.FLOAT32);
        NDArray bias = StateDict.of(block).get("module.3.bias");
        Map<String, NDArray> values = copies(block);
        values.put("module.3.bias", manager.ones(new Shape(3)));
        Map<String, NDArray> nan = copies(block);
        nan.put("module.3.bias", manager.full(new Shape(3), Float.NaN));
        StateDict.of(nan).loadInto(block);
        assertTrue(Double.isNaN(Tensors.largest(bias)));
        StateDict.of(values).loadInto(block);
        assertSame("bias", manager.ones(new Shape(3)), bias);
    }

    @Test
    void oneErrorListsAll(NDManager manager) {
        FeedForward block = feedForward(manager, DataType.FLOAT32);
        Map<String, NDArray> values = copies(block);
        values.remove("module.0.bias");
        values.remove("module.3.weight");
        values.put("module.9.weight", manager.zeros(new Shape(2)));
        values.put("extra", manager.zeros(new Shape(2)));
        values.put("module.1.weight", manager.zeros(new Shape(3, 4)));
        values.put("module.1.bias", manager.zeros(new Shape(4), DataType.INT64));
        NDArray closed = manager.zeros(new Shape(3));
        values.put("module.3.bias", closed);
        closed.close();
        Map<String, NDArray> before = copies(block);
        assertRefused(
                """
                StateDict: cannot load a map into FeedForward
                  missing: module.0.bias, module.3.weight
                  unexpected: module.9.weight, extra
                  nearest: module.3.weight may be module.9.weight
                  module.1.weight must be (4, 3), got (3, 4)
                  module.1.bias must be float32, got int64, which is not converted
                  module.3.bias is closed\
                """,
                () -> StateDict.of(values).loadInto(block));
        before.forEach((name, a) -> assertSame(name, a, StateDict.of(block).get(name)));
    }

    /** One fault, and nothing is loaded, whichever parameter it is about. */
    @Test
    void neverLoadsHalf(NDManager manager) {
        FeedForward block = feedForward(manager, DataType.FLOAT32);
        FeedForward other = feedForward(manager, DataType.FLOAT32);
        Map<String, NDArray> before = copies(block);
        for (String name : before.keySet()) {
            Map<String, NDArray> values = copies(other);
            values.put(name, manager.zeros(new Shape(17)));
            assertThrows(
                    IllegalArgumentException.class, () -> StateDict.of(values).loadInto(block));
            before.forEach((n, a) -> assertSame(n, a, StateDict.of(block).get(n)));
        }
    }

    @Test
    void namesThePrefixBehindWhichAllIsThere(NDManager manager) {
        FeedForward block = feedForward(manager, DataType.FLOAT32);
        StateDict larger =
                StateDict.of(copies(block)).rename(name -> "models.slots.ff_mlp." + name);
        String message =
                assertThrows(IllegalArgumentException.class, () -> larger.loadInto(block))
                        .getMessage();
        assertTrue(
                message.startsWith(
                        "StateDict: cannot load a map into FeedForward (its names are there under"
                                + " \"models.slots.ff_mlp.\")\n  missing: module.0.weight"),
                message);
        larger.under("models.slots.ff_mlp.").loadInto(block);
    }

    /** A block without parameters takes an empty dict, and no other. */
    @Test
    void aBlockWithoutParameters(NDManager manager) {
        Block relu = Activation.reluBlock();
        StateDict.of(Map.of()).loadInto(relu);
        assertRefused(
                "StateDict: cannot load a map into LambdaBlock\n  unexpected: x",
                () -> StateDict.of(Map.of("x", manager.zeros(new Shape()))).loadInto(relu));
    }

    @Test
    void renames(NDManager manager) {
        NDArray a = manager.zeros(new Shape());
        NDArray b = manager.ones(new Shape());
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        arrays.put("x.a", a);
        arrays.put("y.b", b);
        StateDict dict = StateDict.of(arrays);
        assertEquals(List.of("z", "y.b"), List.copyOf(dict.rename(Map.of("x.a", "z")).names()));
        assertEquals(List.of("a"), List.copyOf(dict.under("x.").names()));
        assertTrue(dict.under("x.").get("a") == a);
        assertEquals(List.of(), List.copyOf(dict.under("nothing").names()));
        assertEquals(List.of("y.b"), List.copyOf(dict.select(n -> n.endsWith("b")).names()));
        assertEquals(List.of("x.a", "y.b"), List.copyOf(dict.names()));
        assertRefused(
                "StateDict: two arrays of a map would be named same",
                () -> dict.rename(name -> "same"));
        assertRefused(
                "StateDict: no w in a map, only [x.a, y.b]", () -> dict.rename(Map.of("w", "v")));
        assertRefused("StateDict: no x in a map, only [x.a, y.b]", () -> dict.get("x"));
    }

    @Test
    void keepsWhatIsTrained(NDManager manager) {
        FeedForward block = feedForward(manager, DataType.FLOAT32);
        block.freezeParameters(true, p -> p.getName().endsWith("bias"));
        NDArray before = StateDict.of(block).get("module.1.weight");
        StateDict.of(feedForward(manager, DataType.FLOAT64)).loadInto(block);
        StateDict.of(block)
                .arrays()
                .forEach((name, a) -> assertEquals(!name.endsWith("bias"), a.hasGradient(), name));
        assertTrue(before == StateDict.of(block).get("module.1.weight"), "the same array");
        NDArray x = Tensors.normal(manager, 1, 2, 3);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDList out = block.forward(new ParameterStore(manager, false), new NDList(x), true);
            collector.backward(out.head().square().sum());
        }
        assertTrue(Tensors.largest(before.getGradient()) > 0);
    }

    /** Also inside an open collector, and in a thread in which the engine records by itself. */
    @Test
    void loadsAnywhere(NDManager manager) {
        FeedForward block = feedForward(manager, DataType.FLOAT32);
        StateDict first = StateDict.of(feedForward(manager, DataType.FLOAT32));
        StateDict second = StateDict.of(feedForward(manager, DataType.FLOAT32));
        Thread thread = new Thread(() -> first.loadInto(block));
        CompletableFuture<Throwable> failure = new CompletableFuture<>();
        thread.setUncaughtExceptionHandler((t, e) -> failure.complete(e));
        thread.start();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        assertNull(failure.getNow(null));
        first.arrays().forEach((n, a) -> assertSame(n, a, StateDict.of(block).get(n)));
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            assertNotNull(collector);
            second.loadInto(block);
        }
        second.arrays().forEach((n, a) -> assertSame(n, a, StateDict.of(block).get(n)));
    }

    /** DJL's copyTo would tie the parameters to Java buffers, which die with the arrays. */
    @Test
    void loadedParametersOwnTheirMemory(NDManager manager, @TempDir Path folder)
            throws IOException {
        FeedForward block = feedForward(manager, DataType.FLOAT32);
        Path file = folder.resolve("w.safetensors");
        StateDict.of(block).write(file);
        Map<String, NDArray> expected = copies(block);
        FeedForward other = feedForward(manager, DataType.FLOAT32);
        try (StateDict dict = StateDict.read(file)) {
            dict.loadInto(other);
        }
        Map<String, NDArray> views = new LinkedHashMap<>();
        StateDict.of(other).arrays().forEach((n, a) -> views.put(n, a.stopGradient()));
        other.clear();
        Garbage.collect();
        expected.forEach((name, a) -> assertSame(name, a, views.get(name)));
    }

    /** As above: what refers to an array that was read does not need the state dict. */
    @Test
    void arraysThatWereReadOwnTheirMemory(NDManager manager, @TempDir Path folder)
            throws IOException {
        FeedForward block = feedForward(manager, DataType.FLOAT32);
        for (String name : new String[] {"w.safetensors", "w.npz"}) {
            Path file = folder.resolve(name);
            StateDict.of(block).write(file);
            Map<String, NDArray> views = new LinkedHashMap<>();
            try (StateDict dict = StateDict.read(file)) {
                dict.arrays()
                        .forEach(
                                (n, a) -> {
                                    NDArray view = a.stopGradient();
                                    view.attach(manager);
                                    views.put(n, view);
                                });
            }
            Garbage.collect();
            copies(block).forEach((n, a) -> assertSame(n, a, views.get(n)));
        }
    }

    @Test
    void leavesNoArraysBehind(NDManager manager, @TempDir Path folder) throws IOException {
        FeedForward block = feedForward(manager, DataType.FLOAT32);
        int before = manager.getManagedArrays().size();
        int base = manager.getParentManager().getManagedArrays().size();
        Path file = folder.resolve("w.npz");
        StateDict.of(block).write(file);
        NDArray read;
        try (StateDict dict = StateDict.read(file)) {
            dict.loadInto(block);
            read = dict.rename(name -> "x" + name).get("xmodule.3.bias");
            assertFalse(read.isReleased());
        }
        assertTrue(read.isReleased());
        assertEquals(before, manager.getManagedArrays().size());
        assertEquals(base, manager.getParentManager().getManagedArrays().size());
    }

    @Test
    void eitherOfARenamedPairCloses(NDManager manager, @TempDir Path folder) throws IOException {
        Path file = folder.resolve("w.npz");
        StateDict.of(feedForward(manager, DataType.FLOAT32)).write(file);
        StateDict dict = StateDict.read(file);
        NDArray array = dict.get("module.3.bias");
        dict.under("module.").close();
        assertTrue(array.isReleased());
        dict.close();
    }

    @ParameterizedTest
    @EnumSource(StateDictFormat.class)
    void aNewBlockGivesTheSameOutputs(
            StateDictFormat format, NDManager manager, @TempDir Path folder) throws IOException {
        Path file = folder.resolve(format == StateDictFormat.NPZ ? "w.npz" : "w.safetensors");
        for (ReferenceBlocks.Example example : ReferenceBlocks.examples()) {
            NDList in = example.inputs(manager);
            Block written = example.block();
            written.initialize(manager, DataType.FLOAT32, in.getShapes());
            StateDict.of(written).write(file);
            Block loaded = example.block();
            loaded.initialize(manager, DataType.FLOAT32, in.getShapes());
            try (StateDict dict = StateDict.read(file)) {
                dict.loadInto(loaded);
            }
            ParameterStore store = new ParameterStore(manager, false);
            NDList expected = written.forward(store, in, false);
            NDList got = loaded.forward(store, in, false);
            for (int i = 0; i < expected.size(); i++) {
                assertSame(example + ", output " + i, expected.get(i), got.get(i));
            }
        }
    }

    /** DJL's own saving goes on working with parameters that came from a state dict. */
    @Test
    void djlsOwnFilesGoOnWorking(NDManager manager) throws Exception {
        for (ReferenceBlocks.Example example : ReferenceBlocks.examples()) {
            NDList in = example.inputs(manager);
            Block first = example.block();
            first.initialize(manager, DataType.FLOAT32, in.getShapes());
            Block second = example.block();
            second.initialize(manager, DataType.FLOAT32, in.getShapes());
            StateDict.of(first).loadInto(second);
            byte[] saved = BlockContract.save(second);
            Block third = example.block();
            third.loadParameters(manager, new DataInputStream(new ByteArrayInputStream(saved)));
            StateDict expected = StateDict.of(first);
            StateDict got = StateDict.of(third);
            assertEquals(expected.names(), got.names());
            expected.arrays().forEach((n, a) -> assertSame(example + n, a, got.get(n)));
        }
    }

    /** A torch module's weights give a DJL block the module's outputs. */
    @Test
    void computesWhatTorchComputes(NDManager manager) throws Exception {
        SequentialBlock block = sequential();
        block.initialize(manager, DataType.FLOAT32, new Shape(5, 4));
        try (StateDict module = StateDictFileTest.fixture("sequential.safetensors");
                StateDict values = StateDictFileTest.fixture("sequential_values.npz")) {
            assertTrue(module.names().contains("4.num_batches_tracked"));
            module.loadInto(block);
            NDArray x = Tensors.normal(manager, 0, 5, 4);
            Ops.overwrite(x, values.get("x"));
            NDArray y = manager.zeros(new Shape(5, 6));
            Ops.overwrite(y, values.get("y"));
            NDList out = block.forward(new ParameterStore(manager, false), new NDList(x), false);
            assertClose("y", y, out.singletonOrThrow(), 1e-5);
        }
    }

    /** The counter is BatchNorm's alone: elsewhere the name is unexpected. */
    @Test
    void onlyBatchNormMayHaveACounter(NDManager manager) {
        FeedForward block = feedForward(manager, DataType.FLOAT32);
        Map<String, NDArray> values = copies(block);
        values.put("num_batches_tracked", manager.create(3L));
        assertRefused(
                "StateDict: cannot load a map into FeedForward\n  unexpected: num_batches_tracked",
                () -> StateDict.of(values).loadInto(block));
    }

    /** One parameter under two names is written under both. */
    @Test
    void sharedParameters(NDManager manager) {
        FeedForward shared = new FeedForward(3, 4);
        SequentialBlock block = new SequentialBlock().add(shared).add(shared);
        block.initialize(manager, DataType.FLOAT32, new Shape(2, 3));
        StateDict dict = StateDict.of(block);
        assertEquals(12, dict.names().size());
        assertTrue(dict.get("0.module.3.bias") == dict.get("1.module.3.bias"));
    }

    @Test
    void slotAttentionWithoutBiasDoesNotTakeBiases(NDManager manager) {
        SlotAttention with =
                SlotAttention.builder().setDim(4).setFeatureDim(5).optProjectionBias(true).build();
        SlotAttention without = SlotAttention.builder().setDim(4).setFeatureDim(5).build();
        with.initialize(manager, DataType.FLOAT32, new Shape(-1));
        without.initialize(manager, DataType.FLOAT32, new Shape(-1));
        assertRefused(
                "StateDict: cannot load the parameters of SlotAttention into SlotAttention\n"
                        + "  unexpected: to_q.bias, to_k.bias, to_v.bias",
                () -> StateDict.of(with).loadInto(without));
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void whatIsNotFiniteIsTold(float value, NDManager manager) {
        NDArray whole = manager.create(new float[] {1, -Float.MAX_VALUE, Float.MAX_VALUE});
        NDArray none = manager.create(new Shape(0, 3));
        NDArray count = manager.create(new long[] {Long.MAX_VALUE});
        StateDict fits = StateDict.of(Map.of("a", whole, "b", none, "c", count));
        assertEquals(fits, fits.requireFinite());
        NDArray last = manager.create(new float[] {1, 2, 3, value});
        StateDict broken = StateDict.of(Map.of("a", whole, "last", last));
        assertRefused(
                "StateDict: last must be finite, got a number that is NaN or infinite",
                broken::requireFinite);
    }
}
