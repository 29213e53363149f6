package org.slotwise.examples.gnm;

import org.slotwise.examples.shared.HelpOfAllOption;
import org.slotwise.examples.shared.Program;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Explains scenes by counted, placed objects, and makes new ones. */
@Command(
        name = "ExplainScenes",
        header = {"Explains scenes by counted, placed objects, and makes new ones.", ""},
        description = {
            "Trains a small GNM, evaluates it, shows how it explains pictures, and makes new scenes.",
            ""
        },
        subcommands = {
            TrainGnm.class,
            EvaluateGnm.class,
            ShowGnm.class,
            GenerateGnm.class,
            PackageGnm.class,
            BesideGnm.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:All went well.",
            "1:Something failed: a file, or a training that ran away.",
            "2:An option is wrong."
        })
public final class ExplainScenes implements Runnable {

    @Mixin private HelpOfAllOption help;

    @Spec private CommandSpec spec;

    /**
     * Runs the program and ends the process with its exit code.
     *
     * @param args a command and its options; {@code --help} lists them
     */
    public static void main(String[] args) {
        Program.main(new ExplainScenes(), args);
    }

    @Override
    public void run() {
        throw Program.commandMissing(spec);
    }
}
