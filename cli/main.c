/* The hopscope command. */

int main(void)
{
    return 0;
}
