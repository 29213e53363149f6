package org.slotwise.examples.discover;

import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.TrainingOptions;
import org.slotwise.examples.shared.WrittenFiles;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "train" of {@link DiscoverObjects}. */
@Command(
        name = "train",
        description = {
            "Trains a model on generated scenes, of which it sees nothing but the pixels. Prints the"
                    + " loss of the training, and on scenes held out how well objects are told"
                    + " apart (FG-ARI), with the background (ARI), and the error (MSE).",
            ""
        },
        sortOptions = false)
final class TrainDiscovery implements Callable<Integer> {

    private static final int MAX_STEPS = 1_000_000;

    @Option(
            names = "--data",
            defaultValue = "tetrominoes",
            converter = DiscoveryTask.Parser.class,
            paramLabel = "NAME",
            description = "The scenes, tetrominoes or multi-dsprites. Default: ${DEFAULT-VALUE}.")
    private DiscoveryTask task;

    @Option(
            names = "--steps",
            paramLabel = "NUMBER",
            description = "How many steps of 32 scenes. Default: 15000.")
    private @Nullable Integer steps;

    @Option(
            names = "--report",
            defaultValue = "250",
            paramLabel = "NUMBER",
            description = "After how many steps progress is told. Default: ${DEFAULT-VALUE}.")
    private int report;

    @Option(
            names = "--learning-rate",
            paramLabel = "RATE",
            description = "The highest one. Default: 1.2e-3.")
    private @Nullable Double learningRate;

    @Option(
            names = "--eps",
            paramLabel = "NUMBER",
            description =
                    "What is added to the attention of each slot to each feature. With a larger"
                            + " one slots that share an object part. The model keeps it. Default:"
                            + " 1e-3.")
    private @Nullable Double eps;

    @Option(
            names = "--output",
            paramLabel = "FILE",
            description = "Where the model goes. Default: the name of the data.safetensors.")
    private @Nullable Path output;

    @Mixin private TrainingOptions options;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException, TranslateException {
        DiscoveryRecipe recipe = task.recipe();
        int count = steps == null ? recipe.steps() : steps;
        double rate = learningRate == null ? recipe.learningRate() : learningRate;
        double added = eps == null ? task.eps() : eps;
        Path model = output == null ? Path.of(task.fileName()) : output;
        check(count, rate, added, model);
        options.startEngine();
        try (DiscoveryTraining training =
                new DiscoveryTraining(new DiscoveryRun(task, count, rate, added, options.seed()))) {
            options.run(
                    spec,
                    model,
                    training::resume,
                    out -> {
                        training.train(
                                out,
                                new DiscoveryTraining.Traces(
                                        report,
                                        options.checkpoint(),
                                        options.checkpointEvery(),
                                        options.history()));
                        training.model().write(model);
                    });
        }
        return ExitCode.OK;
    }

    private void check(int count, double rate, double added, Path model) throws IOException {
        Program.requireRange(spec, "--steps", count, 1, MAX_STEPS);
        Program.require(spec, report >= 1, "--report must be at least 1", report);
        Program.require(
                spec, rate > 0 && rate <= 1, "--learning-rate must be above 0 and at most 1", rate);
        Program.require(
                spec, added > 0 && added <= 1, "--eps must be above 0 and at most 1", added);
        Program.requireSafetensors(spec, "--output", model);
        options.check(spec, new WrittenFiles().and("--output", model));
    }
}
