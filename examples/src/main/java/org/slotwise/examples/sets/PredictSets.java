package org.slotwise.examples.sets;

import org.slotwise.examples.shared.HelpOfAllOption;
import org.slotwise.examples.shared.Program;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Tells what objects pictures have, and where, after learning from pictures with answers. */
@Command(
        name = "PredictSets",
        header = {
            "Tells what objects pictures have, and where, after learning from pictures with answers.",
            ""
        },
        description = {
            "Trains a small model on generated scenes, evaluates it and shows" + " what it says.",
            ""
        },
        subcommands = {TrainSets.class, EvaluateSets.class, ShowSets.class},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:All went well.",
            "1:Something failed: a file, or a training that ran away.",
            "2:An option is wrong."
        })
public final class PredictSets implements Runnable {

    @Mixin private HelpOfAllOption help;

    @Spec private CommandSpec spec;

    /**
     * Runs the program and ends the process with its exit code.
     *
     * @param args a command and its options; {@code --help} lists them
     */
    public static void main(String[] args) {
        Program.main(new PredictSets(), args);
    }

    @Override
    public void run() {
        throw Program.commandMissing(spec);
    }
}
