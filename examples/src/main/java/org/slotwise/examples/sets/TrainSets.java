package org.slotwise.examples.sets;

import ai.djl.ndarray.NDManager;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.Program;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "train" of {@link PredictSets}. */
@Command(
        name = "train",
        description = {
            "Trains a model on generated scenes with the properties of their objects. Prints the"
                    + " loss of the training, and on scenes held out the average precision in"
                    + " percent at the distances infinity, 1, 0.5, 0.25, 0.125 and 0.0625, and how"
                    + " well the attention tells objects apart (FG-ARI).",
            ""
        },
        sortOptions = false)
final class TrainSets implements Callable<Integer> {

    private static final int MAX_STEPS = 10_000_000;
    private static final int MAX_WEIGHT = 1000;

    @Option(
            names = "--steps",
            defaultValue = "6000",
            paramLabel = "NUMBER",
            description = "How many steps of 32 scenes. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(
            names = "--grouping",
            defaultValue = "attention",
            paramLabel = "KIND",
            description =
                    "How slots are made: attention, mixture, or discrete for attributes from"
                            + " categorical latents. Default: ${DEFAULT-VALUE}.")
    private PropertyGrouping grouping;

    @Option(
            names = "--iterations",
            paramLabel = "NUMBER",
            description =
                    "How many iterations the grouping takes, 1 to "
                            + SetModelOptions.MAX_ITERATIONS
                            + ". Default: "
                            + PropertyTraining.ITERATIONS
                            + "; of a mixture "
                            + PropertyTraining.MIXTURE_ITERATIONS
                            + ".")
    private @Nullable Integer iterations;

    @Option(
            names = "--gradients",
            paramLabel = "KIND",
            description =
                    "Which iterations the model learns by: last, or all, which take longer. Default:"
                            + " last; of a mixture all.")
    private @Nullable PropertyGradients gradients;

    @Option(
            names = "--loss",
            defaultValue = "hungarian",
            paramLabel = "KIND",
            description =
                    "What the model learns by: hungarian, or huber as in the paper, by which"
                            + " positions are learnt later. Default: ${DEFAULT-VALUE}.")
    private PropertyLoss loss;

    @Option(
            names = "--position-weight",
            paramLabel = "NUMBER",
            description =
                    "How much positions count in the hungarian loss, beside 3 of attributes: above 0,"
                            + " at most "
                            + MAX_WEIGHT
                            + ". Default: "
                            + PropertyTraining.POSITION_WEIGHT
                            + "; of a mixture and of discrete slots "
                            + PropertyTraining.HEAVY_POSITION_WEIGHT
                            + ".")
    private @Nullable Double positionWeight;

    @Option(
            names = "--report",
            defaultValue = "500",
            paramLabel = "NUMBER",
            description = "After how many steps progress is told. Default: ${DEFAULT-VALUE}.")
    private int report;

    @Option(
            names = "--learning-rate",
            defaultValue = "1e-3",
            paramLabel = "RATE",
            description = "The highest one. Default: ${DEFAULT-VALUE}.")
    private double learningRate;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "NUMBER",
            description =
                    "What weights, scenes and all random choices start from. Default:"
                            + " ${DEFAULT-VALUE}.")
    private int seed;

    @Option(
            names = "--output",
            defaultValue = "sets.safetensors",
            paramLabel = "FILE",
            description =
                    "Where the model goes, each time that progress is told. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Mixin private SetOptions options;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException, TranslateException {
        options.check(spec);
        require(steps >= 1 && steps <= MAX_STEPS, "--steps must be 1 to " + MAX_STEPS, steps);
        if (iterations != null) {
            Program.requireRange(
                    spec, "--iterations", iterations, 1, SetModelOptions.MAX_ITERATIONS);
        }
        require(report >= 1, "--report must be at least 1", report);
        require(
                learningRate > 0 && learningRate <= 1,
                "--learning-rate must be above 0 and at most 1",
                learningRate);
        if (positionWeight != null) {
            require(
                    positionWeight > 0 && positionWeight <= MAX_WEIGHT,
                    "--position-weight must be above 0 and at most " + MAX_WEIGHT,
                    positionWeight);
            Program.require(
                    spec,
                    loss == PropertyLoss.HUNGARIAN,
                    "--position-weight is for --loss hungarian",
                    loss);
        }
        Program.requireSafetensors(spec, "--output", output);
        new OutputFile(output).check(null);
        PrintWriter out = spec.commandLine().getOut();
        try (NDManager manager = NDManager.newBaseManager()) {
            new PropertyTraining(
                            steps,
                            report,
                            learningRate,
                            slots(),
                            loss,
                            weight(),
                            options.maxObjects(),
                            seed)
                    .run(manager, out, output);
            out.printf("Model: %s%n", output);
        }
        return ExitCode.OK;
    }

    private PropertySlots slots() {
        boolean mixture = grouping == PropertyGrouping.MIXTURE;
        PropertyGradients usual = mixture ? PropertyGradients.ALL : PropertyGradients.LAST;
        int times = mixture ? PropertyTraining.MIXTURE_ITERATIONS : PropertyTraining.ITERATIONS;
        return new PropertySlots(
                grouping,
                gradients == null ? usual : gradients,
                iterations == null ? times : iterations,
                options.slots());
    }

    private double weight() {
        if (positionWeight != null) {
            return positionWeight;
        }
        return grouping == PropertyGrouping.ATTENTION
                ? PropertyTraining.POSITION_WEIGHT
                : PropertyTraining.HEAVY_POSITION_WEIGHT;
    }

    private void require(boolean condition, String expected, Object got) {
        Program.require(spec, condition, expected, got);
    }
}
