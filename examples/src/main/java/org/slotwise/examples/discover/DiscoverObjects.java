package org.slotwise.examples.discover;

import ai.djl.ndarray.NDManager;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.slotwise.examples.shared.DiscoveryFigure;
import org.slotwise.examples.shared.HelpOfAllOption;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.Program;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Finds the objects of pictures, after learning from pictures alone. */
@Command(
        name = "DiscoverObjects",
        header = {"Finds the objects of pictures, after learning from pictures alone.", ""},
        description = {
            "Trains a small model, evaluates it and shows what it sees. Without a command it evaluates"
                    + " the model that comes with these examples on "
                    + DiscoverObjects.FEW_SCENES
                    + " scenes, and draws some of them to "
                    + DiscoverObjects.FIGURE
                    + ".",
            ""
        },
        subcommands = {
            TrainDiscovery.class,
            EvaluateDiscovery.class,
            ShowDiscovery.class,
            SweepDiscovery.class,
            DrawCurves.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:All went well.",
            "1:Something failed: a file, or a training that ran away.",
            "2:An option is wrong."
        })
public final class DiscoverObjects implements Callable<Integer> {

    static final String FIGURE = "discover-objects.png";
    static final int FEW_SCENES = 200;
    private static final long DATA_SEED = 4242;
    private static final int SHOWN = 8;

    @Mixin private HelpOfAllOption help;

    @Spec private CommandSpec spec;

    /**
     * Runs the program and ends the process with its exit code.
     *
     * @param args a command and its options; {@code --help} lists them
     */
    public static void main(String[] args) {
        Program.main(new DiscoverObjects(), args);
    }

    @Override
    public Integer call() throws IOException, TranslateException {
        PrintWriter out = spec.commandLine().getOut();
        Path figure = Path.of(FIGURE);
        new OutputFile(figure).check(null);
        try (NDManager manager = NDManager.newBaseManager()) {
            DiscoveryModel model = DiscoveryModel.load(manager, null, null, null);
            EvaluateDiscovery.report(
                    out, model, model.task().recipe().testIterations(), DATA_SEED, FEW_SCENES);
            ShowDiscovery.draw(
                    out,
                    model,
                    model.task().recipe().testIterations(),
                    DATA_SEED,
                    SHOWN,
                    DiscoveryFigure.What.SCENES,
                    figure);
        }
        return ExitCode.OK;
    }
}
