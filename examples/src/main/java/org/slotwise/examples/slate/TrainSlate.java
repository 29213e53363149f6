package org.slotwise.examples.slate;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.Checksum;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.TrainingOptions;
import org.slotwise.examples.shared.WrittenFiles;
import org.slotwise.weights.StateDict;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "train" of {@link ComposePictures}. */
@Command(
        name = "train",
        description = {
            "Trains a model on pictures alone, generated ones or your own: first the auto-encoder"
                    + " that makes tokens of pictures, then slots and transformer, on tokens that"
                    + " are kept. Prints the loss, and on pictures held out the error of the"
                    + " auto-encoder, then the cross entropy of tokens with a picture's own slots"
                    + " and with another picture's, and how well the slots' attention tells objects"
                    + " apart (FG-ARI), with the background (ARI).",
            ""
        },
        sortOptions = false)
final class TrainSlate implements Callable<Integer> {

    private static final int MAX_STEPS = 1_000_000;

    @Mixin private SlateSizes sizes;

    @Option(
            names = "--dvae-steps",
            defaultValue = "1500",
            paramLabel = "NUMBER",
            description = "How many steps the auto-encoder takes. Default: ${DEFAULT-VALUE}.")
    private int dvaeSteps;

    @Option(
            names = "--dvae",
            paramLabel = "FILE",
            description =
                    "A model whose auto-encoder is taken as it is, instead of training one. Default:"
                            + " none.")
    private @Nullable Path dvae;

    @Option(
            names = "--steps",
            defaultValue = "13000",
            paramLabel = "NUMBER",
            description =
                    "How many steps slots and transformer take after that. Default:"
                            + " ${DEFAULT-VALUE}.")
    private int steps;

    @Option(
            names = "--tokens",
            paramLabel = "FILE",
            description =
                    "Where the pictures' tokens are kept, a safetensors file; those of the same"
                            + " auto-encoder and pictures are read from it. Default: nowhere.")
    private @Nullable Path tokens;

    @Option(
            names = "--learning-rate",
            defaultValue = "1e-3",
            paramLabel = "RATE",
            description = "The highest one of slots and transformer. Default: ${DEFAULT-VALUE}.")
    private double learningRate;

    @Option(
            names = "--halve-after",
            paramLabel = "REPORTS",
            description =
                    "Halves the learning rate after so many reports without a better cross entropy."
                            + " Default: never.")
    private @Nullable Integer halveAfter;

    @Option(
            names = "--report",
            defaultValue = "1000",
            paramLabel = "NUMBER",
            description = "After how many steps progress is told. Default: ${DEFAULT-VALUE}.")
    private int report;

    @Option(
            names = "--output",
            paramLabel = "FILE",
            description =
                    "Where the model goes. Default: "
                            + SlateModel.FILE
                            + ", with --images "
                            + SlateModel.OWN_FILE
                            + ".")
    private @Nullable Path given;

    private Path output = Path.of(SlateModel.FILE);

    @Mixin private TrainingOptions options;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        output =
                given == null
                        ? Path.of(sizes.ofFolder() ? SlateModel.OWN_FILE : SlateModel.FILE)
                        : given;
        check();
        options.startEngine();
        TrainingPictures pictures = sizes.pictures(options.seed());
        try (NDManager manager = NDManager.newBaseManager();
                SlateTraining training = training(pictures, autoEncoder(manager))) {
            options.run(
                    spec,
                    output,
                    training::resume,
                    out -> {
                        training.train(
                                out,
                                new SlateTraining.Traces(
                                        tokens,
                                        options.checkpoint(),
                                        options.checkpointEvery(),
                                        options.history()));
                        SlateModel.write(training.slate(), output);
                    });
        }
        return ExitCode.OK;
    }

    private @Nullable StateDict autoEncoder(NDManager manager) throws IOException {
        return dvae == null ? null : StateDict.of(SlateModel.load(manager, dvae).dvae());
    }

    private SlateTraining training(TrainingPictures pictures, @Nullable StateDict known)
            throws IOException {
        SlateRun run =
                new SlateRun(
                        pictures.name(),
                        sizes.configuration(),
                        known == null ? dvaeSteps : 0,
                        steps,
                        learningRate,
                        halveAfter == null ? 0 : halveAfter,
                        report,
                        known == null ? "" : Checksum.of(known),
                        options.seed());
        try {
            return new SlateTraining(run, pictures, known);
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    dvae + " has an auto-encoder of another size: " + e.getMessage(), e);
        }
    }

    private void check() throws IOException {
        sizes.check(spec);
        Program.requireRange(spec, "--dvae-steps", dvaeSteps, 1, MAX_STEPS);
        Program.requireRange(spec, "--steps", steps, 1, MAX_STEPS);
        if (halveAfter != null) {
            Program.requireRange(spec, "--halve-after", halveAfter, 1, MAX_STEPS);
        }
        Program.requireRange(spec, "--report", report, 1, MAX_STEPS);
        Program.require(
                spec,
                learningRate > 0 && learningRate <= 1,
                "--learning-rate must be above 0 and at most 1",
                learningRate);
        Program.refuseBeside(spec, "--dvae", "--dvae-steps");
        Program.requireSafetensors(spec, "--output", output);
        if (tokens != null) {
            Program.requireSafetensors(spec, "--tokens", tokens);
        }
        options.check(spec, new WrittenFiles().and("--output", output).and("--tokens", tokens));
    }
}
