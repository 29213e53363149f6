package org.slotwise.examples.sets;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.Program;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "show" of {@link PredictSets}. */
@Command(
        name = "show",
        description = {
            "Draws a few scenes that the model has never seen: the picture with the true places of"
                    + " the objects (circles) and those that the model says (crosses, white where"
                    + " size, material, shape and colour are right too, else black), which slot"
                    + " looks where in colours, and for each slot its attention.",
            ""
        },
        sortOptions = false)
final class ShowSets implements Callable<Integer> {

    private static final int MAX_SCENES = 64;

    @Option(
            names = "--scenes",
            defaultValue = "6",
            paramLabel = "NUMBER",
            description = "How many scenes, 1 to " + MAX_SCENES + ". Default: ${DEFAULT-VALUE}.")
    private int scenes;

    @Mixin private SetModelOptions options;

    @Option(
            names = "--output",
            defaultValue = "predict-sets.png",
            paramLabel = "FILE",
            description = "Where the figure goes, a PNG file. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException, TranslateException {
        options.check(spec);
        Program.require(
                spec,
                scenes >= 1 && scenes <= MAX_SCENES,
                "--scenes must be 1 to " + MAX_SCENES,
                scenes);
        Program.requirePng(spec, output);
        OutputFile file = new OutputFile(output);
        file.check(options.file());
        try (NDManager manager = NDManager.newBaseManager()) {
            PropertyModel model = options.load(manager);
            PropertyScenes data = options.scenes(scenes);
            Engine.getInstance().setRandomSeed((int) data.seed());
            for (Batch batch : data.dataset(scenes, options.slots()).getData(manager)) {
                try (batch) {
                    file.write(
                            PropertyFigure.draw(
                                    batch.getData().head(),
                                    batch.getLabels().get(PropertyScenes.PROPERTIES),
                                    model.predict(
                                            new ParameterStore(batch.getManager(), false),
                                            batch.getData().head(),
                                            false)));
                }
            }
        }
        spec.commandLine().getOut().printf("Figure: %s%n", output.toAbsolutePath().normalize());
        return ExitCode.OK;
    }
}
