package org.slotwise.examples.diffusion;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slotwise.examples.shared.FileTrouble;
import org.slotwise.examples.shared.WholeFile;

/**
 * Pictures in a folder of their own, each a file that is called by its number. What measures such a
 * folder takes all pictures that it finds there, also in folders in it.
 *
 * @param folder where they lie
 */
record NumberedPictures(Path folder) {

    /** Six digits, so that more pictures have the same names. */
    private static final Pattern NAME = Pattern.compile("(\\d{6}|[1-9]\\d{6,8})\\.png");

    /** The file of a picture, which may not be there yet. */
    Path file(long index) {
        String number = Long.toString(index);
        return folder.resolve("0".repeat(Math.max(0, 6 - number.length())) + number + ".png");
    }

    /**
     * Finds out which pictures are there, and takes away what a run had not finished that was
     * killed. Names that begin with a dot are passed over, as by all that reads pictures.
     *
     * @param most how many there can be
     * @return their numbers
     * @throws IOException if there is a file that is none of them
     */
    BitSet there(long most) throws IOException {
        BitSet there = new BitSet();
        if (!Files.isDirectory(folder)) {
            return there;
        }
        WholeFile.deleteUnfinished(folder);
        Path root = folder.toRealPath();
        try (Stream<Path> all = Files.walk(root)) {
            List<Path> files =
                    all.filter(file -> !Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS))
                            .map(root::relativize)
                            .toList();
            for (Path file : files) {
                int number = number(file);
                if (number >= 0 && number < most) {
                    there.set(number);
                }
            }
            List<Path> others =
                    files.stream().filter(file -> isOther(file, most)).sorted().toList();
            if (!others.isEmpty()) {
                throw new IOException(
                        folder
                                + " has files that this command does not write, such as "
                                + others.get(0)
                                + (others.size() == 1 ? "" : " (" + others.size() + " in all)")
                                + ": they would be measured with its pictures; move them out of it");
            }
        } catch (UncheckedIOException e) {
            throw FileTrouble.reading(folder, e.getCause());
        }
        return there;
    }

    private static int number(Path file) {
        String name = file.toString();
        return NAME.matcher(name).matches()
                ? Integer.parseInt(name.substring(0, name.length() - ".png".length()))
                : -1;
    }

    private static boolean isOther(Path file, long most) {
        for (Path part : file) {
            if (part.toString().startsWith(".")) {
                return false;
            }
        }
        int number = number(file);
        return number < 0 || number >= most;
    }
}
