package org.slotwise.examples.gnm;

import ai.djl.engine.Engine;
import ai.djl.pytorch.jni.JniUtils;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.slotwise.data.Scenes;
import org.slotwise.decoder.BroadcastArchitecture;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.Program;
import org.slotwise.model.Augmentation;
import org.slotwise.model.DecoderConfiguration;
import org.slotwise.model.LearningRateSchedule;
import org.slotwise.model.LearningRateSchedule.Decay;
import org.slotwise.model.ObjectDiscoveryConfiguration;
import org.slotwise.model.ObjectDiscoveryModel;
import org.slotwise.model.ObjectDiscoveryTraining;
import org.slotwise.model.Presets;
import org.slotwise.model.TrainingRecipe;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "beside" of {@link ExplainScenes}. */
@Command(
        name = "beside",
        description = {
            "Trains Slot Attention on the scenes that \"train\" learns from, and scores it on those"
                    + " that \"evaluate\" takes: five slots, one more than a scene has objects. It"
                    + " tells how many seconds the training took, to be compared with.",
            ""
        },
        sortOptions = false)
final class BesideGnm implements Callable<Integer> {

    private static final int MAX_STEPS = 1_000_000;
    private static final int MAX_SCENES = 100_000;
    private static final int BATCH = 16;
    private static final int WARM_UP = 200;

    @Option(
            names = "--decoder",
            defaultValue = "broadcast",
            paramLabel = "NAME",
            description =
                    "\"broadcast\": the paper's model for Tetrominoes; \"colour\": the model of"
                            + " \"slotwise train\", whose slots start at colours. Default:"
                            + " ${DEFAULT-VALUE}.")
    private String decoder;

    @Option(
            names = "--steps",
            defaultValue = "500",
            paramLabel = "NUMBER",
            description = "How many steps of 16 are taken. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(
            names = "--learning-rate",
            defaultValue = "4e-4",
            paramLabel = "RATE",
            description = "The highest one. Default: ${DEFAULT-VALUE}.")
    private double learningRate;

    @Option(
            names = "--learnt",
            defaultValue = "8000",
            paramLabel = "NUMBER",
            description = "How many scenes are learnt from. Default: ${DEFAULT-VALUE}.")
    private int learnt;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "NUMBER",
            description =
                    "What weights, scenes and all random choices start from. Default:"
                            + " ${DEFAULT-VALUE}.")
    private int seed;

    @Option(
            names = "--scenes",
            defaultValue = "1000",
            paramLabel = "NUMBER",
            description = "How many scenes it is scored on. Default: ${DEFAULT-VALUE}.")
    private int scenes;

    @Option(
            names = "--data-seed",
            defaultValue = "4242",
            paramLabel = "NUMBER",
            description = "Which ones. Default: ${DEFAULT-VALUE}.")
    private long dataSeed;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Program.require(
                spec,
                "broadcast".equals(decoder) || "colour".equals(decoder),
                "--decoder must be broadcast or colour",
                decoder);
        Program.requireRange(spec, "--steps", steps, 1, MAX_STEPS);
        Program.requireRange(spec, "--learnt", learnt, BATCH, MAX_SCENES);
        Program.requireRange(spec, "--scenes", scenes, 1, MAX_SCENES);
        Program.requireDataSeed(spec, dataSeed);
        Program.require(
                spec,
                learningRate > 0 && learningRate <= 1,
                "--learning-rate must be above 0 and at most 1",
                learningRate);
        Engine.getInstance(); // loads what the next line calls
        JniUtils.setNumThreads(1);
        PrintWriter out = spec.commandLine().getOut();
        Scenes learnable = LearntScenes.generated(seed, learnt);
        int rising = Math.min(WARM_UP, steps / 2);
        TrainingRecipe recipe =
                new TrainingRecipe(
                        steps,
                        BATCH,
                        new LearningRateSchedule(
                                learningRate, rising, Decay.COSINE, 0, steps, 0.01),
                        1,
                        Augmentation.NONE,
                        0,
                        seed);
        try (ObjectDiscoveryModel model = ObjectDiscoveryModel.create(configuration(), seed)) {
            long start = System.nanoTime();
            ObjectDiscoveryTraining.builder()
                    .setModel(model)
                    .setScenes(learnable)
                    .setRecipe(recipe)
                    .optReports(
                            Math.max(1, steps / 10),
                            progress -> {
                                out.println(progress);
                                out.flush();
                            })
                    .build()
                    .train();
            double seconds = (System.nanoTime() - start) / 1e9;
            out.printf(
                    Locale.ROOT,
                    "%d steps in %.0f s, %d parameters%n",
                    steps,
                    seconds,
                    model.block().getParameters().values().stream()
                            .mapToLong(p -> p.getArray().size())
                            .sum());
            out.println(model.evaluate(new CountedScenes(dataSeed, scenes)));
            out.flush();
        }
        return ExitCode.OK;
    }

    private ObjectDiscoveryConfiguration configuration() {
        boolean colour = "colour".equals(decoder);
        ObjectDiscoveryConfiguration named =
                Presets.named(colour ? "pictures" : "paper-tetrominoes")
                        .configuration()
                        .withImageSize(CountedScenes.SIDE, CountedScenes.SIDE)
                        .withSlots(CountedScenes.MOST + 1);
        return colour
                ? named
                : new ObjectDiscoveryConfiguration(
                        named.imageHeight(),
                        named.imageWidth(),
                        named.colours(),
                        named.slots(),
                        named.slotDim(),
                        named.encoder(),
                        named.conditioning(),
                        named.grouping(),
                        new DecoderConfiguration.SpatialBroadcast(
                                BroadcastArchitecture.tetrominoes(CountedScenes.SIDE), 0, false));
    }
}
