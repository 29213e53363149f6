package org.slotwise.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Block;
import java.lang.reflect.Executable;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slotwise.api.BlockSamples.Sample;
import org.slotwise.testing.OnDevice;

/**
 * Every public method and constructor, with each of its arguments bad in turn: it gives a result or
 * an error that says who complains, and does so soon.
 */
class BadCallsTest {

    private static final Logger LOG = LoggerFactory.getLogger(BadCallsTest.class);

    /** All calls of a type take seconds, on a busy machine many. */
    private static final int MINUTES_OF_A_TYPE = 4;

    private static int calls;

    @TestFactory
    Stream<DynamicTest> badCallsAreRefusedByName() {
        return PublicApi.types()
                .filter(type -> !PublicApi.calls(type).isEmpty())
                .map(type -> dynamicTest(PublicApi.name(type), () -> check(type)));
    }

    private static void check(Class<?> type) throws InterruptedException {
        try (NDManager manager = NDManager.newBaseManager(OnDevice.device(), "PyTorch")) {
            BadCalls bad = new BadCalls(manager);
            FutureTask<@Nullable Void> task = new FutureTask<>(() -> callAll(type, bad), null);
            Thread thread = new Thread(task, "bad calls");
            thread.setDaemon(true);
            thread.start();
            try {
                task.get(MINUTES_OF_A_TYPE, TimeUnit.MINUTES);
            } catch (TimeoutException e) {
                bad.faults.add("never ends: " + bad.current);
            } catch (ExecutionException e) {
                throw new AssertionError(bad.current, e.getCause());
            }
            calls += bad.count;
            assertEquals("", String.join("\n", bad.faults));
        }
    }

    private static void callAll(Class<?> type, BadCalls bad) {
        List<Sample> samples = BlockSamples.all();
        for (Executable call : PublicApi.calls(type)) {
            List<Sample> on = samples.stream().filter(s -> type.isInstance(of(s, type))).toList();
            if (on.isEmpty() || Modifier.isStatic(call.getModifiers())) {
                bad.all(call, manager -> ObjectSamples.of(type, manager));
            }
            on.forEach(sample -> bad.all(call, subject(sample, type)));
        }
    }

    /** A sample's builder where builders are called, its block otherwise. */
    private static Object of(Sample sample, Class<?> type) {
        return Reflected.isBuilder(type) ? sample.builder().get() : sample.block();
    }

    private static BadCalls.Subject subject(Sample sample, Class<?> type) {
        return new BadCalls.Subject() {
            @Override
            public Object make(NDManager manager) {
                Object made = of(sample, type);
                if (made instanceof Block block) {
                    block.initialize(manager, DataType.FLOAT32, inputs(manager).getShapes());
                }
                return made;
            }

            @Override
            public NDList inputs(NDManager manager) {
                return sample.inputs().apply(manager, DataType.FLOAT32);
            }
        };
    }

    /** DJL's own methods, which blocks inherit. */
    @TestFactory
    Stream<DynamicTest> badCallsOfWhatBlocksInherit() {
        return BlockSamples.all().stream()
                .map(
                        sample ->
                                dynamicTest(
                                        sample.type().getSimpleName(),
                                        () -> {
                                            try (NDManager manager =
                                                    NDManager.newBaseManager(
                                                            OnDevice.device(), "PyTorch")) {
                                                BadCalls bad = new BadCalls(manager);
                                                InheritedCalls.all(
                                                        bad,
                                                        sample,
                                                        subject(sample, sample.type()));
                                                calls += bad.count;
                                                assertEquals("", String.join("\n", bad.faults));
                                            }
                                        }));
    }

    /**
     * Of these there is nothing to call methods on here; what makes them is called all the same.
     */
    private static final Set<String> WITHOUT_A_SAMPLE =
            Set.of(
                    // files
                    "Checkpoint",
                    "ClevrScenes",
                    "ClevrTexScenes",
                    "CsvHistory",
                    "FeatureCache",
                    "Float64Trainer",
                    "GnmModel",
                    "Hdf5Scenes",
                    "ImageFolder",
                    "LoadReport",
                    "ParquetScenes",
                    "ObjectDiscoveryModel",
                    "ObjectDiscoveryTraining",
                    "PictureModel",
                    "PictureFolder",
                    "PretrainedBackbone",
                    "SceneFiles",
                    "SceneFormat",
                    "TensorBoardEvents",
                    "TfRecordScenes",
                    "WebDatasetScenes",
                    // layers, of which BlockSamples makes blocks
                    "Attention",
                    "BatchNorm",
                    "Convolution",
                    "ConvolutionStack",
                    "ConvolutionStack.Builder",
                    "ConvolutionalLstmCell",
                    "Downsample",
                    "GeGlu",
                    "GroupNorm",
                    "GruCell",
                    "ImageAttention",
                    "LayerNorm",
                    "LeanAttention",
                    "Linear",
                    "LoadedByType",
                    "LoadedScript",
                    "NormedStack",
                    "NormedStack.Builder",
                    "Perceptron",
                    "PointwiseConvolution",
                    "PositionTable",
                    "ResnetBlock",
                    "TransposedConvolution",
                    "UNetLayers",
                    "Upsample");

    /** A new type is called once it is in {@link ObjectSamples}, or named above. */
    @Test
    void everyTypeHasASample() {
        try (NDManager manager = NDManager.newBaseManager(OnDevice.device(), "PyTorch")) {
            Set<String> missing = new TreeSet<>();
            for (Class<?> type : PublicApi.types().toList()) {
                boolean called =
                        PublicApi.calls(type).stream()
                                .anyMatch(
                                        call ->
                                                call instanceof Method
                                                        && !Modifier.isStatic(call.getModifiers()));
                boolean block =
                        BlockSamples.all().stream().anyMatch(s -> type.isInstance(of(s, type)));
                if (called && !block && ObjectSamples.of(type, manager) == null) {
                    missing.add(PublicApi.name(type));
                }
            }
            assertEquals(WITHOUT_A_SAMPLE, missing);
        }
    }

    /** A new block is called once it is in {@link BlockSamples}. */
    @Test
    void everyBlockHasASample() {
        List<String> missing =
                PublicApi.types()
                        .filter(Block.class::isAssignableFrom)
                        .filter(type -> !Modifier.isAbstract(type.getModifiers()))
                        .filter(type -> !type.getSimpleName().equals("PretrainedBackbone"))
                        .filter(
                                type ->
                                        BlockSamples.all().stream()
                                                .noneMatch(s -> s.type() == type))
                        .map(Class::getName)
                        .toList();
        assertEquals(List.of(), missing);
    }

    @AfterAll
    static void thereWereMany() {
        LOG.info("{} bad calls", calls);
        assertTrue(calls > 10_000, calls + " calls");
    }
}
