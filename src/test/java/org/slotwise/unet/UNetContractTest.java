package org.slotwise.unet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.layer.ResnetBlock;
import org.slotwise.layer.TimeEmbedding;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** What every block promises, of denoisers; what options change, and errors. */
@ExtendWith(OnDevice.class)
class UNetContractTest {

    private static final TransformerOptions SLOTS = TransformerOptions.of(5, Heads.size(2));

    private static UNetConfiguration.Builder small() {
        return UNetConfiguration.builder()
                .setChannels(2, 3)
                .setWidths(4, 8)
                .setTransformer(SLOTS)
                .optAttention(false, true)
                .optGroups(2);
    }

    private static BranchNormConfiguration branchNorm(double dropout) {
        return new BranchNormConfiguration(2, 4, 8, 5, 4, 1, dropout);
    }

    static Stream<Arguments> denoisers() {
        Supplier<Block> plain = () -> new UNet(small().build());
        Supplier<Block> all =
                () ->
                        new UNet(
                                small().optResidual(new ResnetBlock.Options(2, 1e-5, 0, true))
                                        .setTransformer(
                                                new TransformerOptions(
                                                        5, Heads.count(2), 2, true, 8))
                                        .optBlocks(2)
                                        .optTime(TimeEmbedding.Order.SINE_FIRST, 1)
                                        .build());
        Supplier<Block> branchNorm = () -> new BranchNormUNet(branchNorm(0));
        return Stream.of(
                Arguments.of("plain", plain),
                Arguments.of("all options", all),
                Arguments.of("norms in the branches", branchNorm));
    }

    private static NDList inputs(NDManager m, DataType type) {
        return new NDList(
                Tensors.normal(m, 1, type, 2, 2, 8, 8),
                m.create(new long[] {3, 900}),
                Tensors.normal(m, 2, type, 2, 3, 5));
    }

    @Test
    void keepsTheContract(NDManager manager) {
        new BlockContract(() -> new UNet(small().build()), UNetContractTest::inputs).check(manager);
    }

    /** Gradients of networks this large are held to the reference's alone. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("denoisers")
    void keepTheRestOfTheContract(String name, Supplier<Block> block, NDManager manager) {
        BlockContract contract = new BlockContract(block, UNetContractTest::inputs);
        contract.gradientsSurviveGarbageCollection(manager);
        contract.leavesNothingButOutputs(manager);
        contract.recordsNoGraphInInference(manager);
        contract.isTheSameThroughAStateDict(manager);
        contract.worksInFloat16(manager);
    }

    /** Not to the last bit: the engine's small products depend on where arrays lie in memory. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("denoisers")
    void nearlyTheSameAfterSaveAndLoad(String name, Supplier<Block> made, NDManager manager)
            throws IOException, MalformedModelException {
        Denoiser block = (Denoiser) initialised(manager, made.get());
        Denoiser loaded = (Denoiser) made.get();
        byte[] saved = BlockContract.save(block);
        loaded.loadParameters(manager, new DataInputStream(new ByteArrayInputStream(saved)));
        NDList in = inputs(manager, DataType.FLOAT32);
        NDArray expected = predict(manager, block, in, false);
        assertClose("loaded", expected, predict(manager, loaded, in, false), 1e-5);
    }

    private static NDArray predict(NDManager manager, Denoiser block, NDList in, boolean training) {
        return block.predict(
                new ParameterStore(manager, false), in.get(0), in.get(1), in.get(2), training);
    }

    private static <T extends Block> T initialised(NDManager manager, T block) {
        manager.getEngine().setRandomSeed(5);
        block.initialize(manager, DataType.FLOAT32, new Shape(2, 2, 8, 8));
        return block;
    }

    /** Slots are a set; what is said of one picture does not touch another. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("denoisers")
    void slotsAreASet(String name, Supplier<Block> made, NDManager manager) {
        Denoiser block = (Denoiser) initialised(manager, made.get());
        NDList in = inputs(manager, DataType.FLOAT32);
        NDArray once = predict(manager, block, in, false);
        NDArray s = in.get(2);
        NDArray turned = s.get(":, 1:").concat(s.get(":, 0:1"), 1);
        NDList other = new NDList(in.get(0), in.get(1), turned);
        assertClose("order of slots", once, predict(manager, block, other, false), 1e-5);

        NDList later = new NDList(in.get(0), manager.create(new long[] {4, 900}), s);
        NDArray moved = predict(manager, block, later, false);
        assertNotEquals(0, moved.get(0).sub(once.get(0)).abs().max().getFloat());
        assertClose("the other picture", once.get(1), moved.get(1), 1e-5);

        NDArray zeros = s.zerosLike();
        NDArray unseen = predict(manager, block, new NDList(in.get(0), in.get(1), zeros), false);
        assertNotEquals(0, unseen.sub(once).abs().max().getFloat());

        NDArray one = s.get(":, 0:1");
        NDArray few = predict(manager, block, new NDList(in.get(0), in.get(1), one), false);
        assertEquals(once.getShape(), few.getShape());
    }

    @Test
    void startsAtZeroIfItShall(NDManager manager) {
        UNet unet = initialised(manager, new UNet(small().optZeroStart(true).build()));
        NDArray y = predict(manager, unet, inputs(manager, DataType.FLOAT32), false);
        assertEquals(0, y.abs().max().getFloat());
        unet = initialised(manager, new UNet(small().build()));
        y = predict(manager, unet, inputs(manager, DataType.FLOAT32), false);
        assertNotEquals(0, y.abs().max().getFloat());
    }

    @Test
    void dropsInTrainingAlone(NDManager manager) {
        ResnetBlock.Options half = new ResnetBlock.Options(2, 1e-5, 0.5, false);
        for (Denoiser block :
                new Denoiser[] {
                    initialised(manager, new UNet(small().optResidual(half).build())),
                    initialised(manager, new BranchNormUNet(branchNorm(0.5)))
                }) {
            NDList in = inputs(manager, DataType.FLOAT32);
            NDArray once = predict(manager, block, in, false);
            Tensors.assertSame("inference", once, predict(manager, block, in, false));
            NDArray dropped = predict(manager, block, in, true);
            assertNotEquals(0, dropped.sub(once).abs().max().getFloat());
            NDArray again = predict(manager, block, in, true);
            assertNotEquals(0, dropped.sub(again).abs().max().getFloat());
        }
    }

    @Test
    void knownSizes() {
        UNetConfiguration lsd = UNetConfiguration.latentSlotDiffusion();
        assertEquals(
                new Shape(2, 4, 32, 32),
                new UNet(lsd).getOutputShapes(new Shape[] {new Shape(2, 4, 32, 32)})[0]);
        UNet slotDiffusion = new UNet(UNetConfiguration.slotDiffusion());
        assertTrue(slotDiffusion.getParameters().size() > 500);
    }

    private static void refused(NDManager manager, String message, Denoiser block, NDList in) {
        assertRefused(message, () -> predict(manager, block, in, false));
    }

    @Test
    void errors(NDManager manager) {
        UNet unet = initialised(manager, new UNet(small().build()));
        NDList in = inputs(manager, DataType.FLOAT32);
        NDArray z = in.get(0);
        NDArray t = in.get(1);
        NDArray s = in.get(2);
        refused(
                manager,
                "UNet: timesteps must be int64, got float32",
                unet,
                new NDList(z, t.toType(DataType.FLOAT32, false), s));
        refused(
                manager,
                "UNet: timesteps must be (2), got (3)",
                unet,
                new NDList(z, manager.create(new long[] {1, 2, 3}), s));
        refused(
                manager,
                "UNet: slots must be (2, K, 5), got (2, 3, 4)",
                unet,
                new NDList(z, t, s.get(":, :, :4")));
        refused(
                manager,
                "UNet: latents must be (B, 2, h, w), got (2, 1, 8, 8)",
                unet,
                new NDList(z.get(":, :1"), t, s));
        refused(
                manager,
                "UNet: height and width of latents must be multiples of 2, got (2, 2, 7, 8)",
                unet,
                new NDList(z.get(":, :, :7"), t, s));
        assertRefused(
                "UNet: expected latents, timesteps and slots, got 2 arrays",
                () -> unet.forward(new ParameterStore(manager, false), new NDList(z, t), false));
        UNet placed =
                initialised(
                        manager, new UNet(small().setTransformer(SLOTS.withPositions(4)).build()));
        refused(manager, "UNet: latents must be (B, 2, 4, 4), got (2, 2, 8, 8)", placed, in);
        BranchNormUNet branchNorm = initialised(manager, new BranchNormUNet(branchNorm(0)));
        refused(
                manager,
                "BranchNormUNet: height and width of latents must be multiples of 8, got (2, 2, 4,"
                        + " 8)",
                branchNorm,
                new NDList(z.get(":, :, :4"), t, s));
    }

    @Test
    void sizesThatDoNotFit() {
        assertRefused(
                "UNetConfiguration: widths must be multiples of 3 groups, got 4",
                () -> small().optGroups(3).build());
        assertRefused(
                "Heads: a width with attention must be a multiple of 3, got 8",
                () -> small().setTransformer(TransformerOptions.of(5, Heads.count(3))).build());
        assertRefused(
                "UNetConfiguration: attention must be said of each width, got 1 for 2",
                () -> small().optAttention(true).build());
        assertRefused(
                "UNetConfiguration: attention at a level needs a transformer",
                () ->
                        UNetConfiguration.builder()
                                .setChannels(1, 1)
                                .setWidths(4)
                                .optGroups(2)
                                .optAttention(true)
                                .build());
        assertRefused(
                "UNet: sizes must have a transformer",
                () ->
                        new UNet(
                                UNetConfiguration.builder()
                                        .setChannels(1, 1)
                                        .setWidths(8)
                                        .optGroups(2)
                                        .build()));
        assertRefused(
                "UNetConfiguration: positions must be a multiple of 2, got 5",
                () -> small().setTransformer(SLOTS.withPositions(5)).build());
        assertRefused(
                "Heads: either count or size must be at least 1, the other 0, got 1 and 2",
                () -> new Heads(1, 2));
        assertRefused(
                "BranchNormConfiguration: channels must be a multiple of 4, and twice, three and"
                        + " four times it of heads of 32, got 8",
                () -> new BranchNormConfiguration(3, 8, 6, 5, 32, 1, 0));
    }
}
